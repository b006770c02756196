// Enforcement beside Kafka's own StandardAuthorizer: the same rules, the same requests, the same answers.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Kafka, skipReason } from '../support/kafka.ts'
import type { Acl } from '../support/parity/acl.ts'
import { type Clients, createClients, doorOf, startCluster } from '../support/parity/cluster.ts'
import { type ParityGateway, startParityGateway } from '../support/parity/gateway-side.ts'
import { reportText, summary } from '../support/parity/report.ts'
import { type ParityReport, runParity } from '../support/parity/run-parity.ts'
import { type Door, Side } from '../support/parity/side.ts'

/** The same questions each time where a failure has to be found again by whoever reads the log. */
const seedOfCi = 4_711
const anySeed = process.env.CI === 'true' ? seedOfCi : Math.floor(Math.random() * 2 ** 32)
const seed = Number(process.env.VKITM_SEED ?? anySeed)
/** Of both runs together. */
const itemsMin = Number(process.env.VKITM_PARITY_ITEMS ?? 20_000)
const soundnessItems = 500

/** Each part has names of its own on the clusters that they share. */
const firstBatches = { soundness: 0, enforcement: 2_000, wrongRules: 5_000 }

for (const autoCreates of [false, true]) {
  describe(`Kafka beside enforcement, automatic topic creation ${autoCreates ? 'on' : 'off'}, seed ${seed}`, {
    skip: skipReason(),
  }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'vkitm-parity-'))
    let clients: Clients
    let clusters: readonly [Kafka, Kafka]
    let gateway: ParityGateway

    before(async () => {
      clients = createClients(folder)
      const start = () => startCluster({ clients, autoCreates })
      clusters = await Promise.all([start(), start()])
      gateway = await startParityGateway({ clients, brokerPort: clusters[1].brokers[0]!.port, folder })
    })

    after(async () => {
      await gateway?.stop()
      await Promise.all(clusters?.map(kafka => kafka.stop()) ?? [])
      rmSync(folder, { recursive: true, force: true })
    })

    async function compare(
      door: Door,
      options: Pick<Parameters<typeof runParity>[0], 'itemsMin' | 'firstBatch' | 'enforce'>,
    ) {
      const expected = await Side.open('kafka', doorOf(clusters[0], clients))
      const tested = await Side.open('tested', door)
      try {
        return await runParity({ seed, expected, tested, autoCreates, ...options })
      } finally {
        await Promise.all([expected.close(), tested.close()])
      }
    }

    test('two clusters under the same rules answer alike, so what differs later is the gateway', async () => {
      const firstBatch = firstBatches.soundness
      expectAlike(await compare(doorOf(clusters[1], clients), { itemsMin: soundnessItems, firstBatch }))
    })

    test('the gateway answers as Kafka does', async context => {
      const { enforce } = gateway
      const firstBatch = firstBatches.enforcement
      const report = await compare(gateway.door, { itemsMin: itemsMin / 2, firstBatch, enforce })
      context.diagnostic(`${report.items} items in ${report.requests} requests`)
      for (const [line, times] of report.deliberate) context.diagnostic(`${times} times on purpose: ${line}`)
      if (report.differences.length > 0) for (const line of gateway.complaints()) context.diagnostic(line)
      expectAlike(report)
    })

    // The last: what only one side allowed stays in its cluster.
    test('rules that differ show', async () => {
      const enforce = (acls: readonly Acl[]) => gateway.enforce(acls.filter((_, at) => at % 2 === 0))
      const firstBatch = firstBatches.wrongRules
      const { differences } = await compare(gateway.door, { itemsMin: 500, firstBatch, enforce })
      assert.ok(differences.length > 5, `${differences.length} differences`)
    })
  })
}

function expectAlike(report: ParityReport): void {
  const { differences, drifts } = report
  if (differences.length + drifts.length > 0) assert.fail(`${reportText(report)}\n${summary(report)}`)
}
