/** CreateTopics 2–7, by any node. Leaves out: checks of the configs, which are kept and shown as they came. */
import { ApiKey } from '../../protocol/api-key.ts'
import { zeroUuid } from '../../protocol/empty.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { CreatableTopic } from '../../protocol/generated/create-topics-request.ts'
import {
  type CreatableTopicResult,
  creatableTopicResultDefaults,
  createTopicsResponseDefaults,
} from '../../protocol/generated/create-topics-response.ts'
import type { ClusterState } from '../cluster-state.ts'
import { type Call, handler } from '../handler.ts'
import { isTopicName, type NewTopic } from '../topics.ts'

type CreateTopicsCall = Call<typeof ApiKey.CreateTopics>

/** Of a topic's configs. */
const dynamicTopicConfig = 1

export const createTopics = handler(ApiKey.CreateTopics, [2, 7], call => {
  return { ...createTopicsResponseDefaults(), topics: call.body.topics.map(topic => create(call, topic)) }
})

function create({ cluster, body, refusal }: CreateTopicsCall, asked: CreatableTopic): CreatableTopicResult {
  const failed = (errorCode: ErrorCode, errorMessage: string) => {
    return { ...creatableTopicResultDefaults(), name: asked.name, errorCode, errorMessage, configs: null }
  }
  if (refusal !== undefined) return failed(refusal, 'told to')
  if (!isTopicName(asked.name)) return failed(ErrorCode.INVALID_TOPIC_EXCEPTION, 'not the name of a topic')
  if (cluster.topics.byName(asked.name) !== undefined) {
    return failed(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${asked.name}' already exists.`)
  }
  const wanted = wantedTopic(cluster, asked)
  if (wanted.partitions < 1) return failed(ErrorCode.INVALID_PARTITIONS, 'a topic has one partition at least')
  if (wanted.replicationFactor < 1 || wanted.replicationFactor > cluster.brokers.size) {
    return failed(ErrorCode.INVALID_REPLICATION_FACTOR, `there are ${cluster.brokers.size} brokers`)
  }
  if (!isAssignable(cluster, wanted)) return failed(ErrorCode.INVALID_REPLICA_ASSIGNMENT, 'no such brokers')
  return {
    name: asked.name,
    topicId: body.validateOnly ? zeroUuid : cluster.topics.create(asked.name, wanted).id,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    topicConfigErrorCode: ErrorCode.NONE,
    numPartitions: wanted.partitions,
    replicationFactor: wanted.replicationFactor,
    configs: asked.configs.map(({ name, value }) => {
      return { name, value, readOnly: false, configSource: dynamicTopicConfig, isSensitive: false }
    }),
  }
}

function wantedTopic(cluster: ClusterState, asked: CreatableTopic): NewTopic {
  const configs = new Map(asked.configs.map(({ name, value }) => [name, value ?? '']))
  if (asked.assignments.length > 0) {
    const byIndex = asked.assignments.toSorted((one, other) => one.partitionIndex - other.partitionIndex)
    const assignments = byIndex.map(({ brokerIds }) => brokerIds)
    return { partitions: assignments.length, replicationFactor: assignments[0]!.length, configs, assignments }
  }
  return {
    partitions: asked.numPartitions === -1 ? cluster.settings.defaultPartitions : asked.numPartitions,
    replicationFactor: asked.replicationFactor === -1 ? cluster.defaultReplicationFactor : asked.replicationFactor,
    configs,
  }
}

function isAssignable({ brokers }: ClusterState, { assignments = [] }: NewTopic): boolean {
  return assignments.every(replicas => replicas.length > 0 && replicas.every(id => brokers.has(id)))
}
