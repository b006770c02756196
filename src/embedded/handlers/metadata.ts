/** Metadata 0–13, by name and by id, creating topics where client and cluster both want it. Leaves out: nothing clients use. */
import { ApiKey } from '../../protocol/api-key.ts'
import { zeroUuid } from '../../protocol/empty.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { MetadataRequestTopic } from '../../protocol/generated/metadata-request.ts'
import {
  type MetadataResponsePartition,
  type MetadataResponseTopic,
  metadataResponseDefaults,
  metadataResponseTopicDefaults,
} from '../../protocol/generated/metadata-response.ts'
import { everyOperation } from '../authorized-operations.ts'
import { type Call, handler } from '../handler.ts'
import { noLeader, type Partition } from '../partition.ts'
import { isTopicName, type Topic } from '../topics.ts'

type MetadataCall = Call<typeof ApiKey.Metadata>

export const metadata = handler(ApiKey.Metadata, [0, 13], call => {
  const { cluster, body, version } = call
  return {
    ...metadataResponseDefaults(),
    brokers: Array.from(cluster.brokers.values(), broker => ({ ...broker })),
    clusterId: cluster.settings.clusterId,
    controllerId: cluster.controllerId,
    topics: asksForAll(call)
      ? cluster.topics.all().map(topic => describe(call, topic))
      : (body.topics ?? []).map(topic => answer(call, topic)),
    ...(version >= 8 && version <= 10 && body.includeClusterAuthorizedOperations
      ? { clusterAuthorizedOperations: everyOperation.cluster }
      : {}),
  }
})

/** In version 0 an empty list means all, later it means none. */
function asksForAll({ body, version }: MetadataCall): boolean {
  return body.topics === null || (version === 0 && body.topics.length === 0)
}

function answer(call: MetadataCall, asked: MetadataRequestTopic): MetadataResponseTopic {
  const { topics } = call.cluster
  const { name } = asked
  if (name === null) {
    const topic = asked.topicId === zeroUuid ? undefined : topics.byId(asked.topicId)
    return topic ? describe(call, topic) : failed(ErrorCode.UNKNOWN_TOPIC_ID, asked)
  }
  if (!isTopicName(name)) return failed(ErrorCode.INVALID_TOPIC_EXCEPTION, asked)
  const topic = topics.byName(name) ?? createWhereWanted(call, name)
  return topic ? describe(call, topic) : failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, asked)
}

function createWhereWanted({ cluster, body, version, refusal }: MetadataCall, name: string): Topic | undefined {
  const isWanted = version < 4 || body.allowAutoTopicCreation
  if (!isWanted || !cluster.settings.autoCreateTopics || refusal !== undefined) return undefined
  return cluster.createDefaultTopic(name)
}

function failed(errorCode: ErrorCode, { name, topicId }: MetadataRequestTopic): MetadataResponseTopic {
  return { ...metadataResponseTopicDefaults(), errorCode, name, topicId }
}

function describe({ cluster, body, version }: MetadataCall, topic: Topic): MetadataResponseTopic {
  return {
    ...metadataResponseTopicDefaults(),
    name: topic.name,
    topicId: topic.id,
    partitions: topic.partitions.map(partition => describePartition(partition, new Set(cluster.liveNodes))),
    ...(version >= 8 && body.includeTopicAuthorizedOperations
      ? { topicAuthorizedOperations: everyOperation.topic }
      : {}),
  }
}

function describePartition(partition: Partition, live: ReadonlySet<number>): MetadataResponsePartition {
  return {
    errorCode: partition.leaderId === noLeader ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
    partitionIndex: partition.index,
    leaderId: partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: [...partition.replicas],
    isrNodes: partition.replicas.filter(id => live.has(id)),
    offlineReplicas: partition.replicas.filter(id => !live.has(id)),
  }
}
