import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { AuditLog, type AuditRecord } from '../../src/telemetry/audit-log.ts'

const record: AuditRecord = {
  outcome: 'denied',
  principal: 'User:alice',
  api: 'Fetch',
  apiVersion: 12,
  operation: 'read',
  resourceType: 'topic',
  resource: 'secret',
  rule: 'policy.csv:3',
  why: 'rule',
  generation: 1,
  cluster: 'main',
  listener: 'clients',
  connection: 7,
  client: '10.0.0.1:5000',
  clientId: 'c',
}

describe('AuditLog', () => {
  let nowMs: number
  let texts: string[]
  let audit: AuditLog
  const lines = () => texts.map(text => JSON.parse(text))

  beforeEach(() => {
    nowMs = 0
    texts = []
    const destination = { write: (line: string) => void texts.push(line), dropped: 0, flushed: async () => undefined }
    audit = new AuditLog({ destination, now: () => nowMs, windowMs: 100, recordsMax: 2 })
  })

  test('a record is one line of JSON with every field', () => {
    audit.record(record)
    const [{ level, time, ...written }] = lines()
    assert.equal(level, 'audit')
    assert.ok(Date.parse(time) > 0)
    assert.deepEqual(written, record)
  })

  test('the same denial is written once, and its number when the window ends', () => {
    for (let count = 0; count < 5; count++) audit.record(record)
    audit.record({ ...record, resource: 'other' })
    assert.equal(texts.length, 2)
    nowMs = 100
    audit.sweep()
    assert.deepEqual(
      lines().map(({ resource, repeated }) => [resource, repeated]),
      [
        ['secret', undefined],
        ['other', undefined],
        ['secret', 4],
      ],
    )
    audit.record(record)
    assert.equal(texts.length, 4)
  })

  test('a window that has to make room loses no count', () => {
    audit.record(record)
    audit.record(record)
    audit.record({ ...record, resource: 'second' })
    audit.record({ ...record, resource: 'third' })
    assert.deepEqual(
      lines().map(({ resource, repeated }) => [resource, repeated]),
      [
        ['secret', undefined],
        ['second', undefined],
        ['secret', 1],
        ['third', undefined],
      ],
    )
  })

  test('flush writes what is left to say', () => {
    audit.record(record)
    audit.record(record)
    audit.flush()
    assert.equal(lines().at(-1).repeated, 1)
  })

  test('A-26: names of a client cannot start a line or move a cursor', () => {
    audit.record({ ...record, resource: 'a\n{"level":"audit"}\u009b2J', clientId: '\u202e' })
    assert.equal(texts.length, 1)
    assert.doesNotMatch(texts[0]!.trimEnd(), /[\n\u009b\u202e]/)
    assert.equal(lines()[0].resource, 'a\n{"level":"audit"}\u009b2J')
  })
})
