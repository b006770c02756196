/**
 * The stage that keeps the cluster's addresses from its clients: one handler for every answer that carries one. Which
 * fields these are is written down in protocol/sensitive-fields.ts, and a test fails when a new one appears.
 */
import type { ApiHandler, HandlerOf, Stage } from '../pipeline/stage.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { rewriteApiVersions } from './api-versions.ts'
import { rewriteDescribeCluster } from './describe-cluster.ts'
import { rewriteDescribeConfigs } from './describe-configs.ts'
import { rewriteDescribeQuorum } from './describe-quorum.ts'
import type { RewriteFacts } from './facts.ts'
import { rewriteFetch } from './fetch.ts'
import { rewriteFindCoordinator } from './find-coordinator.ts'
import { rewriteMetadata } from './metadata.ts'
import { rewriteProduce } from './produce.ts'
import { rewriteShareAcknowledge } from './share-acknowledge.ts'
import { rewriteShareFetch } from './share-fetch.ts'
import { rewriteTexts } from './texts.ts'

/** APIs whose answers hold a text for people and no address of their own. */
const textKeys = [
  ApiKey.DescribeGroups,
  ApiKey.CreateTopics,
  ApiKey.DeleteTopics,
  ApiKey.DescribeAcls,
  ApiKey.CreateAcls,
  ApiKey.DeleteAcls,
  ApiKey.AlterConfigs,
  ApiKey.SaslAuthenticate,
  ApiKey.CreatePartitions,
  ApiKey.DeleteGroups,
  ApiKey.ElectLeaders,
  ApiKey.IncrementalAlterConfigs,
  ApiKey.AlterPartitionReassignments,
  ApiKey.ListPartitionReassignments,
  ApiKey.DescribeClientQuotas,
  ApiKey.AlterClientQuotas,
  ApiKey.DescribeUserScramCredentials,
  ApiKey.AlterUserScramCredentials,
  ApiKey.UpdateFeatures,
  ApiKey.DescribeProducers,
  ApiKey.UnregisterBroker,
  ApiKey.ConsumerGroupHeartbeat,
  ApiKey.ConsumerGroupDescribe,
  ApiKey.ShareGroupHeartbeat,
  ApiKey.ShareGroupDescribe,
  ApiKey.AddRaftVoter,
  ApiKey.RemoveRaftVoter,
  ApiKey.StreamsGroupHeartbeat,
  ApiKey.StreamsGroupDescribe,
  ApiKey.DescribeShareGroupOffsets,
  ApiKey.AlterShareGroupOffsets,
  ApiKey.DeleteShareGroupOffsets,
  ApiKey.StreamsGroupTopologyDescriptionUpdate,
  ApiKey.UnregisterController,
] as const

export function createRewrite(facts: RewriteFacts): Stage {
  const handlers = new Map<number, ApiHandler>(textKeys.map(key => [key, rewriteTexts(facts.hidden)]))
  const add = <Key extends ApiKey>(key: Key, handler: HandlerOf<Key>): void => {
    handlers.set(key, handler as ApiHandler)
  }
  add(ApiKey.Produce, rewriteProduce(facts))
  add(ApiKey.Fetch, rewriteFetch(facts))
  add(ApiKey.Metadata, rewriteMetadata(facts))
  add(ApiKey.FindCoordinator, rewriteFindCoordinator(facts))
  add(ApiKey.ApiVersions, rewriteApiVersions(facts))
  add(ApiKey.DescribeConfigs, rewriteDescribeConfigs(facts))
  add(ApiKey.DescribeQuorum, rewriteDescribeQuorum(facts))
  add(ApiKey.DescribeCluster, rewriteDescribeCluster(facts))
  add(ApiKey.ShareFetch, rewriteShareFetch(facts))
  add(ApiKey.ShareAcknowledge, rewriteShareAcknowledge(facts))
  return { name: 'rewrite', handler: apiKey => handlers.get(apiKey) }
}
