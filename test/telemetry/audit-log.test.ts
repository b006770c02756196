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
  const auditing = (recordsMax: number): AuditLog => {
    const destination = { write: (line: string) => void texts.push(line), dropped: 0, flushed: async () => undefined }
    return new AuditLog({ destination, now: () => nowMs, windowMs: 100, recordsMax })
  }
  const lines = () => texts.map(text => JSON.parse(text))

  beforeEach(() => {
    nowMs = 0
    texts = []
    audit = auditing(2)
  })

  test('a record is one line of JSON with every field', () => {
    audit.record(record, {})
    const [{ level, time, ...written }] = lines()
    assert.equal(level, 'audit')
    assert.ok(Date.parse(time) > 0)
    assert.deepEqual(written, record)
  })

  test('the same denial is written once, and its number when the window ends', () => {
    for (let count = 0; count < 5; count++) audit.record(record, {})
    audit.record({ ...record, resource: 'other' }, {})
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
    audit.record(record, {})
    assert.equal(texts.length, 4)
  })

  test('a window that has to make room loses no count', () => {
    audit.record(record, {})
    audit.record(record, {})
    audit.record({ ...record, resource: 'second' }, {})
    audit.record({ ...record, resource: 'third' }, {})
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

  test('A-11: a record costs no walk over those before it, however many have made room', t => {
    const iterator = Map.prototype[Symbol.iterator]
    let walks = 0
    Object.assign(Map.prototype, {
      [Symbol.iterator](this: Map<unknown, unknown>) {
        walks++
        return iterator.call(this)
      },
    })
    const keys = t.mock.method(Map.prototype, 'keys')
    try {
      for (let count = 0; count < 100; count++) audit.record({ ...record, resource: `r${count}` }, {})
    } finally {
      Object.assign(Map.prototype, { [Symbol.iterator]: iterator })
    }
    assert.equal(texts.length, 100)
    assert.equal(walks + keys.mock.callCount(), 0)
  })

  test('A-11: of one request so many names are written, the rest is one number for each kind', () => {
    audit = auditing(10_000)
    const request = {}
    for (let count = 0; count < 1_500; count++) audit.record({ ...record, resource: `r${count}` }, request)
    for (let count = 0; count < 7; count++) audit.record({ ...record, operation: 'create', resource: 'r' }, request)
    assert.equal(texts.length, 1_000)
    audit.record(record, {})
    assert.equal(texts.length, 1_001, 'another request has its names written')
    nowMs = 100
    audit.sweep()
    const [reads, creations, ...others] = lines().slice(1_001)
    const { resource, rule, why, ...kind } = record
    for (const [line, rest] of [
      [reads, { ...kind, more: 500 }],
      [creations, { ...kind, operation: 'create', more: 7 }],
    ]) {
      const { level, time, ...written } = line
      assert.deepEqual(written, rest)
    }
    assert.deepEqual(others, [])
  })

  test('A-11: names of a request that come after the end of a window are counted in the next', () => {
    audit = auditing(10_000)
    const request = {}
    for (let count = 0; count < 1_002; count++) audit.record({ ...record, resource: `r${count}` }, request)
    nowMs = 100
    audit.record({ ...record, resource: 'later' }, request)
    audit.record({ ...record, resource: 'last' }, request)
    audit.flush()
    assert.deepEqual(
      lines().flatMap(({ more }) => more ?? []),
      [2, 2],
    )
  })

  test('flush writes what is left to say', () => {
    audit.record(record, {})
    audit.record(record, {})
    audit.flush()
    assert.equal(lines().at(-1).repeated, 1)
  })

  test('A-26: names of a client cannot start a line or move a cursor', () => {
    audit.record({ ...record, resource: 'a\n{"level":"audit"}\u009b2J', clientId: '\u202e' }, {})
    assert.equal(texts.length, 1)
    assert.doesNotMatch(texts[0]!.trimEnd(), /[\n\u009b\u202e]/)
    assert.equal(lines()[0].resource, 'a\n{"level":"audit"}\u009b2J')
  })
})
