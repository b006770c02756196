import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { type Expiring, ExpiryWatch } from '../../src/gateway/expiry-watch.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { type MemoryLog, memoryLog } from '../support/memory-log.ts'

const DAY_MS = 86_400_000
const start = Date.parse('2030-01-01T00:00:00Z')
const inDays = (days: number): Date => new Date(start + days * DAY_MS)

let [nowMs, expiries]: [number, readonly Expiring[]] = [start, []]
let log: MemoryLog
let metrics: Metrics
let watch: ExpiryWatch

beforeEach(() => {
  nowMs = start
  log = memoryLog()
  metrics = new Metrics({ apiName: () => undefined, processMetrics: false })
  expiries = [{ what: 'listener clients', kind: 'certificate', subject: 'CN=kafka.example.com', until: inDays(40) }]
  watch = new ExpiryWatch({ expiries: () => expiries, log: log.log, metrics, now: () => new Date(nowMs) })
})
afterEach(() => watch.close())

/** What is said when the day comes, looked at every hour. */
function saidUntil(days: number): string[] {
  const before = log.lines().length
  for (; nowMs <= start + days * DAY_MS; nowMs += 3_600_000) watch.check()
  return log
    .lines()
    .slice(before)
    .map(({ level }) => level)
}

describe('C-16: the end of a certificate', () => {
  test('C-16: is said at 30, 7 and 1 days, once each, then daily, and after the end', async () => {
    assert.deepEqual(saidUntil(9), [])
    assert.deepEqual(saidUntil(11), ['warn'])
    assert.deepEqual(saidUntil(32), [])
    assert.deepEqual(saidUntil(34), ['warn'])
    assert.deepEqual(watch.degraded, [])
    assert.deepEqual(saidUntil(39.5), ['error'])
    assert.deepEqual(watch.degraded, [
      'listener clients: the certificate CN=kafka.example.com ends on 2030-02-10T00:00:00.000Z',
    ])
    assert.deepEqual(saidUntil(42.5), ['error', 'error', 'error'])
    assert.match(watch.degraded[0]!, / ended on 2030-02-10/)
  })

  test('C-16: is a metric, and a renewed certificate is silent', async () => {
    const series = `vkitm_certificate_expiry_timestamp_seconds{what="listener clients",kind="certificate"}`
    assert.ok((await metrics.text()).includes(`${series} ${inDays(40).getTime() / 1_000}\n`))
    assert.deepEqual(saidUntil(11), ['warn'])
    expiries = [{ ...expiries[0]!, until: inDays(400) }]
    assert.deepEqual(saidUntil(50), [])
    assert.ok((await metrics.text()).includes(`${series} ${inDays(400).getTime() / 1_000}\n`))
  })

  test('C-16: of a revocation list counts by its own life, which is short', () => {
    expiries = [{ what: 'listener clients', kind: 'revocation list', subject: '', from: inDays(0), until: inDays(1) }]
    assert.deepEqual(saidUntil(0.7), [])
    assert.deepEqual(saidUntil(0.9), ['error'])
    assert.deepEqual(watch.degraded, ['listener clients: a revocation list ends on 2030-01-02T00:00:00.000Z'])
  })
})
