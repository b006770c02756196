/** DescribeTopicPartitions 0, page by page. Leaves out: eligible leader replicas, of which there are none. */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import {
  type DescribeTopicPartitionsResponsePartition,
  type DescribeTopicPartitionsResponseTopic,
  describeTopicPartitionsResponseDefaults,
  describeTopicPartitionsResponseTopicDefaults,
} from '../../protocol/generated/describe-topic-partitions-response.ts'
import { everyOperation } from '../authorized-operations.ts'
import { type Call, handler } from '../handler.ts'
import { noLeader, type Partition } from '../partition.ts'

type DescribeTopicPartitionsCall = Call<typeof ApiKey.DescribeTopicPartitions>

export const describeTopicPartitions = handler(ApiKey.DescribeTopicPartitions, [0, 0], call => {
  const { cluster, body } = call
  const cursor = body.cursor
  const asked = body.topics.length > 0 ? body.topics : cluster.topics.all()
  const names = [...new Set(asked.map(({ name }) => name))]
    .sort()
    .filter(name => cursor === null || name >= cursor.topicName)
  const answer = describeTopicPartitionsResponseDefaults()
  let left = body.responsePartitionLimit
  for (const name of names) {
    const first = name === cursor?.topicName ? Math.max(0, cursor.partitionIndex) : 0
    if (left <= 0) return { ...answer, nextCursor: { topicName: name, partitionIndex: first } }
    const partitions = cluster.topics.byName(name)?.partitions.slice(first) ?? []
    answer.topics.push(describe(call, name, partitions.slice(0, left)))
    if (partitions.length > left) return { ...answer, nextCursor: { topicName: name, partitionIndex: first + left } }
    left -= partitions.length
  }
  return answer
})

function describe(
  { cluster }: DescribeTopicPartitionsCall,
  name: string,
  partitions: readonly Partition[],
): DescribeTopicPartitionsResponseTopic {
  const topic = cluster.topics.byName(name)
  const nothing = { ...describeTopicPartitionsResponseTopicDefaults(), name }
  if (topic === undefined) return { ...nothing, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
  const live = new Set(cluster.liveNodes)
  return {
    ...nothing,
    topicId: topic.id,
    partitions: partitions.map(partition => describePartition(partition, live)),
    topicAuthorizedOperations: everyOperation.topic,
  }
}

function describePartition(partition: Partition, live: ReadonlySet<number>): DescribeTopicPartitionsResponsePartition {
  return {
    errorCode: partition.leaderId === noLeader ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
    partitionIndex: partition.index,
    leaderId: partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: [...partition.replicas],
    isrNodes: partition.replicas.filter(id => live.has(id)),
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    offlineReplicas: partition.replicas.filter(id => !live.has(id)),
  }
}
