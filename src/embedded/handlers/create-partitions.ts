/** CreatePartitions 0–3, by any node. Leaves out: nothing clients use. */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { CreatePartitionsTopic } from '../../protocol/generated/create-partitions-request.ts'
import {
  type CreatePartitionsTopicResult,
  createPartitionsResponseDefaults,
} from '../../protocol/generated/create-partitions-response.ts'
import { type Call, handler } from '../handler.ts'

type CreatePartitionsCall = Call<typeof ApiKey.CreatePartitions>

export const createPartitions = handler(ApiKey.CreatePartitions, [0, 3], call => {
  return { ...createPartitionsResponseDefaults(), results: call.body.topics.map(topic => grow(call, topic)) }
})

function grow(
  call: CreatePartitionsCall,
  { name, count, assignments }: CreatePartitionsTopic,
): CreatePartitionsTopicResult {
  const { cluster, body, refusal } = call
  const topic = cluster.topics.byName(name)
  const result = (errorCode: ErrorCode, errorMessage: string | null = null) => ({ name, errorCode, errorMessage })
  if (refusal !== undefined) return result(refusal)
  if (topic === undefined) return result(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const added = count - topic.partitions.length
  if (added <= 0) {
    return result(ErrorCode.INVALID_PARTITIONS, `Topic currently has ${topic.partitions.length} partitions.`)
  }
  const replicas = assignments?.map(({ brokerIds }) => brokerIds)
  const isAssignable = replicas?.every(ids => ids.length > 0 && ids.every(id => cluster.brokers.has(id))) ?? true
  if (!isAssignable || (replicas !== undefined && replicas.length !== added)) {
    return result(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
  }
  if (!body.validateOnly) cluster.topics.grow(topic, count, replicas)
  return result(ErrorCode.NONE)
}
