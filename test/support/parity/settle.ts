/** Waits until a side has digested what was changed, so that the next answer hangs on no clock. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiKey } from '../../../src/protocol/api-key.ts'
import type { RequestByKey } from '../../../src/protocol/codec.ts'
import type { Side } from './side.ts'

const deadlineMs = 30_000
const markerTopic = 'rig-marker'
const markerConfig = 'retention.ms'

let lastMarker = 3_600_000

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + deadlineMs
  for (let wait = 1; !(await holds()); wait = Math.min(50, wait * 2)) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await sleep(wait)
  }
}

export async function createMarker(side: Side): Promise<void> {
  const topics = [{ name: markerTopic, numPartitions: 1, replicationFactor: 1 }]
  await side.admin(ApiKey.CreateTopics, 7, { topics, timeoutMs: 20_000 })
}

/**
 * The log of metadata is read in order: once the broker shows a mark, it has seen all that was written before. Its
 * parts learn one after the other, so a second mark shows that they are through with the first.
 */
export async function settleMetadata(side: Side): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const value = String(lastMarker++)
    const resource = { resourceType: 2, resourceName: markerTopic }
    const configs = [{ name: markerConfig, value, configOperation: 0 }]
    await side.admin(ApiKey.IncrementalAlterConfigs, 1, { resources: [{ ...resource, configs }] })
    await eventually('a config change is seen', async () => {
      const resources = [{ ...resource, configurationKeys: [markerConfig] }]
      const { results } = await side.admin(ApiKey.DescribeConfigs, 4, { resources })
      return results[0]?.configs[0]?.value === value
    })
  }
}

/** Topics that brokers make on their own come later than the answer. */
export async function settleTopics(sides: readonly Side[]): Promise<void> {
  const deadline = performance.now() + 2_000
  for (;;) {
    await Promise.all(sides.map(settleMetadata))
    const [first, ...others] = await Promise.all(sides.map(side => side.lookAround()))
    if (others.every(topics => topics.join() === first!.join()) || performance.now() > deadline) return
    await sleep(20)
  }
}

/** A share partition fails while its state is made, which joining the group began; nothing tells when that is over. */
export async function settleShareGroup(): Promise<void> {
  await sleep(150)
}

/** One that joined on one side alone leaves, and the group goes everywhere. */
export async function forgetStreamsMember(sides: readonly Side[], body: unknown): Promise<void> {
  const { groupId, memberId } = body as RequestByKey[typeof ApiKey.StreamsGroupHeartbeat]
  for (const side of sides) {
    await side.admin(ApiKey.StreamsGroupHeartbeat, 0, { groupId, memberId, memberEpoch: -1 })
    await side.admin(ApiKey.DeleteGroups, 2, { groupsNames: [groupId] })
  }
}

/** A transaction that ends writes its markers afterwards. */
export async function settleTransaction(side: Side, transactionalId: string): Promise<void> {
  await eventually(`the transaction of ${transactionalId} is over`, async () => {
    const { transactionStates } = await side.admin(ApiKey.DescribeTransactions, 0, {
      transactionalIds: [transactionalId],
    })
    return !transactionStates[0]!.transactionState.startsWith('Prepare')
  })
}
