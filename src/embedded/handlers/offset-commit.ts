/** OffsetCommit 2–10, topics by name or id. Leaves out: retention, offsets stay until their topic or group goes. */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type {
  OffsetCommitRequestPartition,
  OffsetCommitRequestTopic,
} from '../../protocol/generated/offset-commit-request.ts'
import {
  type OffsetCommitResponseTopic,
  offsetCommitResponseDefaults,
} from '../../protocol/generated/offset-commit-response.ts'
import { judgeCoordinator } from '../coordinated-group.ts'
import { type Call, handler } from '../handler.ts'
import type { Topic } from '../topics.ts'

type OffsetCommitCall = Call<typeof ApiKey.OffsetCommit>

const idsFrom = 10
const metadataBytesMax = 4096

export const offsetCommit = handler(ApiKey.OffsetCommit, [2, 10], call => {
  const refusal = judgeMember(call)
  return { ...offsetCommitResponseDefaults(), topics: call.body.topics.map(topic => commitTopic(call, topic, refusal)) }
})

function judgeMember(call: OffsetCommitCall): ErrorCode {
  const { groupId, memberId, groupInstanceId: instanceId, generationIdOrMemberEpoch: generation } = call.body
  const errorCode = judgeCoordinator(call, groupId)
  if (errorCode !== ErrorCode.NONE) return errorCode
  const { groups } = call.cluster
  const group = generation < 0 ? groups.findOrCreate(groupId) : groups.find(groupId)
  return group?.judgeCommit({ memberId, instanceId, generation }) ?? ErrorCode.ILLEGAL_GENERATION
}

function commitTopic(
  call: OffsetCommitCall,
  { name, topicId, partitions }: OffsetCommitRequestTopic,
  refusal: ErrorCode,
): OffsetCommitResponseTopic {
  const byId = call.version >= idsFrom
  const topic = byId ? call.cluster.topics.byId(topicId) : call.cluster.topics.byName(name)
  const missing = byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const commit = (each: OffsetCommitRequestPartition): ErrorCode => {
    if (refusal !== ErrorCode.NONE) return refusal
    return topic === undefined ? missing : commitPartition(call, topic, each)
  }
  return {
    name,
    topicId,
    partitions: partitions.map(each => ({ partitionIndex: each.partitionIndex, errorCode: commit(each) })),
  }
}

function commitPartition(
  { cluster, body }: OffsetCommitCall,
  topic: Topic,
  asked: OffsetCommitRequestPartition,
): ErrorCode {
  const { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch } = asked
  if (topic.partitions[partitionIndex] === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const metadata = asked.committedMetadata ?? ''
  if (Buffer.byteLength(metadata) > metadataBytesMax) return ErrorCode.OFFSET_METADATA_TOO_LARGE
  cluster.groups
    .findOrCreate(body.groupId)
    .offsets.commit(topic.name, partitionIndex, { offset, leaderEpoch, metadata })
  return ErrorCode.NONE
}
