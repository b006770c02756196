/** OffsetFetch 1–10, topics by name or id, several groups at once. Leaves out: offsets pending in transactions. */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import {
  type OffsetFetchResponseGroup,
  type OffsetFetchResponsePartitions,
  type OffsetFetchResponseTopics,
  offsetFetchResponseDefaults,
} from '../../protocol/generated/offset-fetch-response.ts'
import { judgeCoordinator } from '../coordinated-group.ts'
import { type Call, handler } from '../handler.ts'

type OffsetFetchCall = Call<typeof ApiKey.OffsetFetch>

interface AskedTopic {
  readonly name: string
  readonly topicId?: string
  readonly partitionIndexes: readonly number[]
}

interface AskedGroup {
  readonly groupId: string
  /** Null: all there are. */
  readonly topics: readonly AskedTopic[] | null
}

const topLevelErrorFrom = 2
/** KIP-709 */
const groupsFrom = 8
const idsFrom = 10

export const offsetFetch = handler(ApiKey.OffsetFetch, [1, 10], call => {
  const { version, body } = call
  if (version >= groupsFrom) {
    return { ...offsetFetchResponseDefaults(), groups: body.groups.map(group => answer(call, group)) }
  }
  const { errorCode, topics } = answer(call, body)
  if (version >= topLevelErrorFrom) return { ...offsetFetchResponseDefaults(), errorCode, topics }
  // Version 1 has no other place for it.
  const failed = (body.topics ?? []).map(({ name, partitionIndexes }) => {
    return { name, partitions: partitionIndexes.map(index => ({ ...nothingAt(index), errorCode })) }
  })
  return { ...offsetFetchResponseDefaults(), topics: errorCode === ErrorCode.NONE ? topics : failed }
})

function answer(call: OffsetFetchCall, { groupId, topics }: AskedGroup): OffsetFetchResponseGroup {
  const errorCode = judgeCoordinator(call, groupId)
  if (errorCode !== ErrorCode.NONE) return { groupId, topics: [], errorCode }
  const asked = topics ?? committedTopics(call, groupId)
  return { groupId, topics: asked.map(topic => answerTopic(call, groupId, topic)), errorCode }
}

function committedTopics({ cluster }: OffsetFetchCall, groupId: string): AskedTopic[] {
  const committed = cluster.groups.find(groupId)?.offsets.all() ?? []
  return committed.flatMap(({ topic: name, partitions: partitionIndexes }) => {
    const topic = cluster.topics.byName(name)
    return topic === undefined ? [] : { name, topicId: topic.id, partitionIndexes }
  })
}

function answerTopic(call: OffsetFetchCall, groupId: string, asked: AskedTopic): OffsetFetchResponseTopics {
  const { cluster, version } = call
  const topicId = asked.topicId ?? cluster.topics.byName(asked.name)?.id ?? ''
  const topic = version >= idsFrom ? cluster.topics.byId(topicId) : cluster.topics.byName(asked.name)
  const offsets = cluster.groups.find(groupId)?.offsets
  const partitions = asked.partitionIndexes.map((index): OffsetFetchResponsePartitions => {
    if (version >= idsFrom && topic === undefined) {
      return { ...nothingAt(index), errorCode: ErrorCode.UNKNOWN_TOPIC_ID }
    }
    const found = topic && offsets?.get(topic.name, index)
    if (found === undefined) return nothingAt(index)
    const { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata } = found
    return { ...nothingAt(index), committedOffset, committedLeaderEpoch, metadata }
  })
  return { name: asked.name, topicId, partitions }
}

function nothingAt(partitionIndex: number): OffsetFetchResponsePartitions {
  return { partitionIndex, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode: ErrorCode.NONE }
}
