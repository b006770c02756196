import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { type Service, serve } from '../../src/cli/service.ts'
import { createLog } from '../../src/telemetry/log.ts'

function stage(overrides: Partial<Service> = {}) {
  const calls: string[] = []
  const lines: string[] = []
  const signals = new EventEmitter()
  const log = createLog({ destination: { write: line => void lines.push(line), dropped: 0, flushed: async () => {} } })
  const service: Service = {
    drain: async () => void calls.push('drain'),
    stop: async () => void calls.push('stop'),
    reload: async () => void calls.push('reload'),
    ...overrides,
  }
  return { calls, lines, signals, ended: serve(service, { log, signals }) }
}

const settled = () => new Promise(resolve => setImmediate(resolve))

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} drains and ends with 0`, async () => {
    const { calls, signals, ended } = stage()
    signals.emit(signal, signal)
    assert.equal(await ended, 0)
    assert.deepEqual(calls, ['drain'])
  })
}

test('a second signal stops at once, whatever the draining still waits for', async () => {
  const { calls, signals, ended } = stage({ drain: () => new Promise(() => {}) })
  signals.emit('SIGTERM', 'SIGTERM')
  await settled()
  signals.emit('SIGINT', 'SIGINT')
  assert.equal(await ended, 1)
  assert.deepEqual(calls, ['stop'])
})

test('draining that fails ends with 1 and says why', async () => {
  const { lines, signals, ended } = stage({ drain: async () => Promise.reject(new Error('stuck')) })
  signals.emit('SIGTERM', 'SIGTERM')
  assert.equal(await ended, 1)
  assert.match(lines.join(), /draining failed/)
  assert.match(lines.join(), /stuck/)
})

test('SIGHUP reloads, one after the other, and a failure leaves everything running', async () => {
  let running = 0
  let most = 0
  let reloads = 0
  const { lines, signals, ended } = stage({
    reload: async () => {
      running++
      most = Math.max(most, running)
      await settled()
      running--
      if (++reloads === 2) throw new Error('bad file')
    },
  })
  for (let index = 0; index < 3; index++) signals.emit('SIGHUP', 'SIGHUP')
  while (reloads < 3) await settled()
  assert.equal(most, 1)
  assert.match(lines.join(), /bad file/)
  signals.emit('SIGTERM', 'SIGTERM')
  assert.equal(await ended, 0)
})
