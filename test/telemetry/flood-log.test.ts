import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { FloodLog } from '../../src/telemetry/flood-log.ts'
import { type MemoryLog, memoryLog } from '../support/memory-log.ts'

describe('FloodLog', () => {
  let nowMs: number
  let memory: MemoryLog
  let log: FloodLog
  const lines = () => memory.lines().map(({ message, client, details }) => [message, client, details])

  beforeEach(() => {
    nowMs = 0
    memory = memoryLog()
    log = new FloodLog({ log: memory.log, now: () => nowMs, windowMs: 100, linesMax: 3 })
  })

  test('writes a failure once and counts it when it comes again from the same address, by any port', () => {
    for (const [connection, port] of [5000, 5001, 5002].entries())
      log.warn({ listener: 'clients', connection, client: `10.0.0.1:${port}`, details: { reason: 'no' } }, 'failed')
    assert.deepEqual(lines(), [['failed', '10.0.0.1:5000', { reason: 'no' }]])
    nowMs = 99
    log.sweep()
    assert.equal(memory.texts.length, 1)
    nowMs = 100
    log.sweep()
    assert.deepEqual(lines().slice(1), [['failed', '10.0.0.1:5000', { reason: 'no', repeated: 2 }]])
    log.warn({ listener: 'clients', connection: 9, client: '10.0.0.1:6000', details: { reason: 'no' } }, 'failed')
    assert.equal(memory.texts.length, 3)
  })

  test('an error stays one', () => {
    for (let count = 0; count < 3; count++) log.error({ client: '10.0.0.1', err: new Error('broken') }, 'failed')
    assert.deepEqual(
      memory.lines().map(({ level }) => level),
      ['error'],
    )
  })

  test('writes what differs: address, listener, principal, reason, message, error', () => {
    log = new FloodLog({ log: memory.log, now: () => nowMs })
    log.info({ listener: 'a', client: '[::1]:1', details: { reason: 'no' } }, 'failed')
    log.info({ listener: 'a', client: '[::2]:1', details: { reason: 'no' } }, 'failed')
    log.info({ listener: 'b', client: '[::1]:1', details: { reason: 'no' } }, 'failed')
    log.info({ listener: 'a', client: '[::1]:1', details: { reason: 'never' } }, 'failed')
    log.info({ listener: 'a', client: '[::1]:1', details: { reason: 'no' } }, 'lost')
    log.info({ listener: 'a', client: '[::1]:1', err: new Error('one') }, 'failed')
    log.info({ listener: 'a', client: '[::1]:1', err: new Error('two') }, 'failed')
    log.info({ listener: 'a', client: '[::1]:1', principal: 'User:alice', details: { reason: 'no' } }, 'failed')
    assert.equal(memory.texts.length, 8)
  })

  test('of a flood from many addresses writes so many, and how many more there were', () => {
    for (let at = 0; at < 1_000; at++) log.warn({ client: `10.0.${at >> 8}.${at & 255}:1` }, 'failed')
    assert.equal(memory.texts.length, 3)
    nowMs = 100
    log.sweep()
    assert.equal(memory.texts.length, 4)
    assert.deepEqual(memory.lines().at(-1)?.details, { lines: 997 })
    for (let at = 0; at < 5; at++) log.warn({ client: `10.1.0.${at}:1` }, 'failed')
    log.warn({ client: '10.1.0.0:2' }, 'failed')
    log.flush()
    assert.deepEqual(
      memory
        .lines()
        .slice(-2)
        .map(({ details }) => details),
      [{ lines: 2 }, { repeated: 1 }],
    )
  })

  test('lets no address hide what others do: beyond its share its failures are a number', () => {
    log = new FloodLog({ log: memory.log, now: () => nowMs, windowMs: 100, linesMax: 10, addressLinesMax: 4 })
    for (let apiKey = 0; apiKey < 1_000; apiKey++) log.warn({ client: `10.0.0.1:${apiKey}`, details: { apiKey } }, 'no')
    log.warn({ client: '10.0.0.1:7', details: { apiKey: 0 } }, 'no')
    log.warn({ client: '10.0.0.2:1', details: { user: 'alice' } }, 'login failed')
    const more = 'more failures of one address than are written down: these are counted alone'
    assert.deepEqual(
      lines().map(([message]) => message),
      ['no', 'no', 'no', 'no', more, 'login failed'],
    )
    nowMs = 100
    log.sweep()
    assert.deepEqual(lines().slice(6), [
      ['no', '10.0.0.1:0', { apiKey: 0, repeated: 1 }],
      [more, '10.0.0.1:4', { repeated: 995 }],
    ])
    log.warn({ client: '10.0.0.1:1', details: { apiKey: 2_000 } }, 'no')
    assert.equal(lines().at(-1)?.[0], 'no')
  })
})
