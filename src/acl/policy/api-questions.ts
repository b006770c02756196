/**
 * What each API asks the policy, by type of resource, as Kafka's handlers do. `?` marks what is asked beside the request's
 * purpose: a rule by the API's name never grants it. APIs that ask nothing, or that no client is served, have no row.
 */
import type { Operation, ResourceType } from './policy.ts'

type Asked = Operation | `${Operation}?`
export type ApiQuestions = Readonly<Partial<Record<ResourceType, readonly Asked[]>>>

const groupRead: ApiQuestions = { group: ['read'] }
const groupAndTopicsDescribe: ApiQuestions = { group: ['describe'], topic: ['describe'] }
const groupMember: ApiQuestions = { group: ['read'], topic: ['describe'] }
const groupRecords: ApiQuestions = { group: ['read'], topic: ['read'] }
const clusterAlter: ApiQuestions = { cluster: ['alter'] }
const clusterDescribe: ApiQuestions = { cluster: ['describe'] }
const alterAnyConfigs: ApiQuestions = {
  topic: ['alterConfigs'],
  cluster: ['alterConfigs'],
  group: ['alterConfigs'],
}

const table: Readonly<Record<string, ApiQuestions>> = {
  Produce: { topic: ['write'], transactionalId: ['write'] },
  Fetch: { topic: ['read'] },
  ListOffsets: { topic: ['describe'] },
  Metadata: { topic: ['describe', 'create?'], cluster: ['create?', 'describe?'] },
  OffsetCommit: groupRecords,
  OffsetFetch: groupAndTopicsDescribe,
  FindCoordinator: { group: ['describe'], transactionalId: ['describe'], cluster: ['clusterAction'] },
  JoinGroup: groupRead,
  Heartbeat: groupRead,
  LeaveGroup: groupRead,
  SyncGroup: groupRead,
  DescribeGroups: { group: ['describe'] },
  ListGroups: { group: ['describe'], cluster: ['describe'] },
  // Nobody can be granted delete on the cluster by its name, but Kafka asks, and `*` answers.
  CreateTopics: { topic: ['create', 'describeConfigs?'], cluster: ['create'] },
  DeleteTopics: { topic: ['delete', 'describe'], cluster: ['delete'] },
  DeleteRecords: { topic: ['delete'] },
  InitProducerId: {
    transactionalId: ['write', 'twoPhaseCommit'],
    cluster: ['idempotentWrite'],
    topic: ['write?'],
  },
  OffsetForLeaderEpoch: { topic: ['describe'], cluster: ['clusterAction'] },
  AddPartitionsToTxn: { transactionalId: ['write'], topic: ['write'], cluster: ['clusterAction'] },
  AddOffsetsToTxn: { transactionalId: ['write'], group: ['read'] },
  EndTxn: { transactionalId: ['write'] },
  WriteTxnMarkers: { cluster: ['alter', 'clusterAction'] },
  TxnOffsetCommit: { transactionalId: ['write'], group: ['read'], topic: ['read'] },
  DescribeAcls: clusterDescribe,
  CreateAcls: clusterAlter,
  DeleteAcls: clusterAlter,
  DescribeConfigs: { topic: ['describeConfigs'], cluster: ['describeConfigs'], group: ['describeConfigs'] },
  AlterConfigs: alterAnyConfigs,
  AlterReplicaLogDirs: clusterAlter,
  DescribeLogDirs: { ...clusterDescribe, topic: ['describe?'] },
  CreatePartitions: { topic: ['alter'] },
  CreateDelegationToken: { user: ['createTokens'] },
  DescribeDelegationToken: { delegationToken: ['describe'], user: ['describeTokens'] },
  DeleteGroups: { group: ['delete'] },
  ElectLeaders: { ...clusterAlter, topic: ['describe?'] },
  IncrementalAlterConfigs: { ...alterAnyConfigs, cluster: ['alterConfigs', 'clusterAction'] },
  AlterPartitionReassignments: clusterAlter,
  ListPartitionReassignments: { ...clusterDescribe, topic: ['describe?'] },
  OffsetDelete: { group: ['delete'], topic: ['read'] },
  DescribeClientQuotas: { cluster: ['describeConfigs'] },
  AlterClientQuotas: { cluster: ['alterConfigs'] },
  DescribeUserScramCredentials: clusterDescribe,
  AlterUserScramCredentials: clusterAlter,
  DescribeQuorum: clusterDescribe,
  UpdateFeatures: clusterAlter,
  DescribeCluster: { cluster: ['describe?'] },
  DescribeProducers: { topic: ['read'] },
  UnregisterBroker: clusterAlter,
  DescribeTransactions: { transactionalId: ['describe'], topic: ['describe'] },
  ListTransactions: { transactionalId: ['describe'] },
  ConsumerGroupHeartbeat: groupMember,
  ConsumerGroupDescribe: groupAndTopicsDescribe,
  ListConfigResources: { cluster: ['describeConfigs'], topic: ['describe', 'describeConfigs'], group: ['describe'] },
  DescribeTopicPartitions: { topic: ['describe'] },
  ShareGroupHeartbeat: groupMember,
  ShareGroupDescribe: groupAndTopicsDescribe,
  ShareFetch: groupRecords,
  ShareAcknowledge: groupRecords,
  AddRaftVoter: clusterAlter,
  RemoveRaftVoter: clusterAlter,
  StreamsGroupHeartbeat: { group: ['read'], topic: ['describe', 'create?'], cluster: ['create?'] },
  StreamsGroupDescribe: groupAndTopicsDescribe,
  DescribeShareGroupOffsets: groupAndTopicsDescribe,
  AlterShareGroupOffsets: groupRecords,
  DeleteShareGroupOffsets: { group: ['delete'], topic: ['read'] },
  StreamsGroupTopologyDescriptionUpdate: groupRead,
  UnregisterController: clusterAlter,
}

const questions = new Map<string, ApiQuestions>(Object.entries(table))

/** Undefined for an API that asks nothing. */
export const questionsOf = (api: string): ApiQuestions | undefined => questions.get(api)

const withoutMark = (asked: Asked): Operation => (asked.endsWith('?') ? asked.slice(0, -1) : asked) as Operation

/** By API, each as type and operation. */
const secondary = new Map(
  Object.entries(table).map(([api, byType]) => [
    api,
    Object.entries(byType).flatMap(([type, asked]) =>
      asked.filter(word => word.endsWith('?')).map(word => ({ type, operation: withoutMark(word) })),
    ),
  ]),
)

/** Is this beside the purpose of the request, so that a rule by the API's name may deny but never grants it? */
export function isSecondary(api: string, type: ResourceType, operation: Operation): boolean {
  return secondary.get(api)?.some(asked => asked.type === type && asked.operation === operation) ?? false
}
