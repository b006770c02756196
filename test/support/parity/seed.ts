/** Makes the topics, groups, transactions and rules of one batch, on one side; and takes them away again. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiKey } from '../../../src/protocol/api-key.ts'
import { writeBatch } from '../../../src/records/write-batch.ts'
import { Span } from '../../../src/wire/span.ts'
import { type Acl, creationOf } from './acl.ts'
import { topologyOf } from './requests/new-groups.ts'
import { recordTimestamp } from './requests/records.ts'
import { createMarker, settleMetadata } from './settle.ts'
import type { Side } from './side.ts'
import type { World } from './world.ts'

const recordsPerPartition = 5
const memberId = 'AAAAAAAAAAAAAAAAAAAAEQ'
const hourMs = 3_600_000

/** Once for each side: the internal topics are made by the first question for a coordinator. */
export async function prepareSide(side: Side): Promise<void> {
  await createMarker(side)
  for (const [keyType, key] of [
    [0, 'rig'],
    [1, 'rig'],
    [2, `rig:${Buffer.alloc(16, 1).toString('base64url')}:0`],
  ] as const) {
    await untilCode(0, async () => {
      const answer = await side.admin(ApiKey.FindCoordinator, 6, { keyType, coordinatorKeys: [key] })
      return answer.coordinators[0]!.errorCode
    })
  }
  await settleMetadata(side)
}

export async function seed(side: Side, world: World, acls: readonly Acl[]): Promise<void> {
  const topics = [...world.topics, ...world.victims]
  await createTopics(side, topics)
  await side.lookAround()
  await produce(side, topics)
  for (const groupId of world.groups) await commit(side, groupId, world)
  for (const transactionalId of world.transactionalIds) await initTransactions(side, transactionalId)
  await joinLiveGroups(side, world)
  await allow(side, acls)
  await settleMetadata(side)
}

async function createTopics(side: Side, topics: World['topics']): Promise<void> {
  const wanted = topics.map(({ name, partitions }) => ({ name, numPartitions: partitions, replicationFactor: 1 }))
  const answer = await side.admin(ApiKey.CreateTopics, 7, { topics: wanted, timeoutMs: 20_000 })
  for (const { name, errorCode } of answer.topics) expectCode(0, errorCode, `creating ${name}`)
  await settleMetadata(side)
}

async function produce(side: Side, topics: World['topics']): Promise<void> {
  const values = Array.from({ length: recordsPerPartition }, (_, at) => Buffer.from(`record ${at}`))
  const records = values.map(value => ({ value, timestamp: recordTimestamp }))
  const topicData = topics.map(({ name, partitions }) => ({
    name,
    partitionData: Array.from({ length: partitions }, (_, index) => ({ index, records: Span.of(writeBatch(records)) })),
  }))
  const answer = await side.admin(ApiKey.Produce, 9, { acks: -1, timeoutMs: 20_000, topicData })
  for (const { name, partitionResponses } of answer.responses) {
    for (const { errorCode } of partitionResponses) expectCode(0, errorCode, `producing to ${name}`)
  }
}

async function commit(side: Side, groupId: string, world: World): Promise<void> {
  const topics = world.topics.map(({ name, partitions }) => ({
    name,
    partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({
      partitionIndex,
      committedOffset: 2n,
      committedMetadata: '',
    })),
  }))
  await untilCode(0, async () => {
    const answer = await side.admin(ApiKey.OffsetCommit, 9, { groupId, topics })
    return answer.topics[0]!.partitions[0]!.errorCode
  })
}

async function initTransactions(side: Side, transactionalId: string): Promise<void> {
  const body = { transactionalId, transactionTimeoutMs: 900_000 }
  await untilCode(0, async () => {
    const answer = await side.admin(ApiKey.InitProducerId, 5, body)
    side.learn(
      ApiKey.InitProducerId,
      { ...body, producerId: -1n, producerEpoch: -1, enable2Pc: false, keepPreparedTxn: false },
      answer,
    )
    return answer.errorCode
  })
}

async function joinLiveGroups(side: Side, { liveGroups, topics }: World): Promise<void> {
  const names = topics.map(({ name }) => name)
  await joinClassic(side, liveGroups.classic)
  const subscribed = [names[0]!, names[3]!]
  await untilCode(0, async () => {
    const body = {
      groupId: liveGroups.consumer,
      memberId,
      rebalanceTimeoutMs: hourMs,
      subscribedTopicNames: subscribed,
    }
    return (await side.admin(ApiKey.ConsumerGroupHeartbeat, 1, { ...body, topicPartitions: [] })).errorCode
  })
  await joinShare(side, liveGroups.share, subscribed)
  await untilCode(0, async () => {
    const owned = { activeTasks: [], standbyTasks: [], warmupTasks: [] }
    const body = { groupId: liveGroups.streams, memberId, rebalanceTimeoutMs: hourMs, processId: 'rig', ...owned }
    return (await side.admin(ApiKey.StreamsGroupHeartbeat, 0, { ...body, topology: topologyOf(subscribed, []) }))
      .errorCode
  })
}

/** Until it is assigned what it subscribes to: the state of share partitions is made after the answer. */
async function joinShare(side: Side, groupId: string, subscribedTopicNames: string[]): Promise<void> {
  const member = { groupId, memberId }
  let memberEpoch = 0
  let assigned = 0
  for (let left = 400; assigned < subscribedTopicNames.length; left--) {
    const body = memberEpoch === 0 ? { ...member, subscribedTopicNames } : { ...member, memberEpoch }
    const answer = await side.admin(ApiKey.ShareGroupHeartbeat, 1, body)
    if (answer.errorCode === 0) {
      memberEpoch = answer.memberEpoch
      assigned = answer.assignment?.topicPartitions.length ?? assigned
    }
    if (left === 0) throw new Error(`${groupId}: ${assigned} topics assigned, to the end`)
    await sleep(25)
  }
}

async function joinClassic(side: Side, groupId: string): Promise<void> {
  const protocols = [{ name: 'range', metadata: Buffer.from([0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]) }]
  const body = { groupId, sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: hourMs, protocolType: 'consumer', protocols }
  const joined = await side.admin(ApiKey.JoinGroup, 3, body)
  expectCode(0, joined.errorCode, `joining ${groupId}`)
  const assignments = [{ memberId: joined.memberId, assignment: Buffer.from([0]) }]
  const member = { groupId, memberId: joined.memberId, generationId: joined.generationId }
  expectCode(0, (await side.admin(ApiKey.SyncGroup, 3, { ...member, assignments })).errorCode, `syncing ${groupId}`)
}

async function allow(side: Side, acls: readonly Acl[]): Promise<void> {
  const { results } = await side.admin(ApiKey.CreateAcls, 3, { creations: acls.map(creationOf) })
  for (const [at, { errorCode }] of results.entries()) expectCode(0, errorCode, `creating ${JSON.stringify(acls[at])}`)
}

/** Rules, topics and groups go; what transactions leave stays under the batch's own names. */
export async function clear(side: Side): Promise<void> {
  const any = { resourceTypeFilter: 1, patternTypeFilter: 1, operation: 1, permissionType: 1 }
  const all = { ...any, resourceNameFilter: null, principalFilter: null, hostFilter: null }
  await side.admin(ApiKey.DeleteAcls, 3, { filters: [all] })
  const names = (await side.lookAround()).filter(name => !name.startsWith('__') && !name.startsWith('rig-'))
  await side.admin(ApiKey.DeleteTopics, 5, { topicNames: names, timeoutMs: 20_000 })
  await settleMetadata(side)
}

async function untilCode(wanted: number, ask: () => Promise<number>): Promise<void> {
  for (let left = 400; ; left--) {
    const code = await ask()
    if (code === wanted) return
    if (left === 0) throw new Error(`error ${code} instead of ${wanted}, to the end`)
    await sleep(25)
  }
}

function expectCode(wanted: number, code: number, what: string): void {
  if (code !== wanted) throw new Error(`${what}: error ${code}`)
}
