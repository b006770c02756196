import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { AuthorityFolder } from '../../src/gateway/authority-folder.ts'
import { AutoRenew, namesServedFrom } from '../../src/gateway/auto-renew.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { parse, yamlWith } from '../config/fixture.ts'
import { type MemoryLog, memoryLog } from '../support/memory-log.ts'

const DAY_MS = 86_400_000
let folder: string
let authority: AuthorityFolder
let log: MemoryLog
let metrics: Metrics
let nowMs: number
let renewing: AutoRenew | undefined

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vkitm-renew-'))
  nowMs = Date.now()
  log = memoryLog()
  metrics = new Metrics({ apiName: () => undefined, processMetrics: false })
  authority = await AuthorityFolder.init(folder, { name: 't', keyType: 'P-256', now: new Date() })
})
afterEach(() => {
  renewing?.close()
  rmSync(folder, { recursive: true, force: true })
})

const issue = (name: string, days: number) =>
  authority.issue({ name, use: 'server', names: ['localhost'], keyType: 'P-256', days, now: new Date() })
const serial = (name: string) => new X509Certificate(readFileSync(join(folder, `${name}.pem`))).serialNumber

function autoRenew(names: readonly string[], beforeDays = 30): AutoRenew {
  renewing = new AutoRenew({ dir: folder, beforeDays, names, log: log.log, metrics, now: () => new Date(nowMs) })
  return renewing
}

describe('automatic renewal', () => {
  test('renews what is due and what this gateway serves with, and nothing else', async () => {
    await Promise.all([issue('due', 100), issue('young', 397), issue('others', 20)])
    const before = ['due', 'young', 'others'].map(serial)
    const renewal = autoRenew(['due', 'young'])
    nowMs += 75 * DAY_MS
    await renewal.look()
    const after_ = ['due', 'young', 'others'].map(serial)
    assert.deepEqual(
      after_.map((each, at) => each !== before[at]),
      [true, false, false],
    )
    assert.deepEqual(renewal.degraded, [])
    assert.match(await metrics.text(), /^vkitm_renewals_total 1$/m)
    await renewal.look()
    assert.equal(serial('due'), after_[0])
  })

  test('a short life is renewed when a third of it is left, not always', async () => {
    await issue('brief', 3)
    const [renewal, first] = [autoRenew(['brief']), serial('brief')]
    await renewal.look()
    assert.equal(serial('brief'), first)
    nowMs += 2.1 * DAY_MS
    await renewal.look()
    assert.notEqual(serial('brief'), first)
  })

  test('renews the revocation lists, and keeps what they revoke', async () => {
    await issue('gone', 397)
    const [gone] = await authority.chainOf('gone')
    await authority.revoke(gone!, new Date())
    const ends = await authority.listsEnd()
    const renewal = autoRenew([])
    nowMs += 16 * DAY_MS
    await renewal.look()
    assert.ok((await authority.listsEnd()) > ends)
    assert.equal((await authority.revocations()).length, 1)
  })

  test('says why it cannot: a revoked certificate, a CA that is gone', async () => {
    await issue('bad', 20)
    const [bad] = await authority.chainOf('bad')
    await authority.revoke(bad!, new Date())
    const renewal = autoRenew(['bad'])
    nowMs += 15 * DAY_MS
    await renewal.look()
    assert.deepEqual(renewal.degraded, ['bad is not renewed: it is revoked: issue another one'])
    rmSync(join(folder, 'issuing.key'))
    await renewal.look()
    assert.match(renewal.degraded[0]!, /issuing\.key \(ENOENT\)/)
    assert.match(await metrics.text(), /^vkitm_renewals_failed_total 2$/m)
    assert.equal(log.lines('not renewed').length, 2)
  })

  test('looks after the certificates that a configuration names in that folder', async () => {
    await issue('gateway', 100)
    const text = yamlWith({
      listener: 'tls: {certificate: gateway.pem, key: gateway.key}\nadvertise: localhost:9092',
      root: 'certs: {autoRenew: {dir: .}}',
    })
    const config = await parse(text, { folder })
    assert.deepEqual(config.autoRenew, { dir: folder, beforeDays: 30 })
    assert.deepEqual(namesServedFrom(folder, config), ['gateway'])
    assert.deepEqual(namesServedFrom('/elsewhere', config), [])
    await assert.rejects(
      parse(text.replace('dir: .', 'dir: nowhere'), { folder }),
      /certs\.autoRenew\.dir: cannot read .*issuing\.key/,
    )
  })
})
