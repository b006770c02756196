/**
 * The stage that holds every request and every answer against the policy. The table below is the whole of what clients
 * may ask: an API without a row is not served at all.
 */
import { setImmediate } from 'node:timers/promises'
import type { Exchange } from '../pipeline/exchange.ts'
import {
  type ApiHandler,
  changed,
  changedAndLast,
  closeAfterAnswers,
  type RequestOutcome,
  type ResponseOutcome,
  respond,
  type Stage,
  unchanged,
} from '../pipeline/stage.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { enforceAddOffsetsToTxn } from './add-offsets-to-txn.ts'
import { enforceAddPartitionsToTxn } from './add-partitions-to-txn.ts'
import { enforceAddRaftVoter } from './add-raft-voter.ts'
import { enforceAlterClientQuotas } from './alter-client-quotas.ts'
import { enforceAlterConfigs } from './alter-configs.ts'
import { enforceAlterPartitionReassignments } from './alter-partition-reassignments.ts'
import { enforceAlterReplicaLogDirs } from './alter-replica-log-dirs.ts'
import { enforceAlterShareGroupOffsets } from './alter-share-group-offsets.ts'
import { enforceAlterUserScramCredentials } from './alter-user-scram-credentials.ts'
import { enforceConsumerGroupDescribe } from './consumer-group-describe.ts'
import { enforceConsumerGroupHeartbeat } from './consumer-group-heartbeat.ts'
import { enforceCreateAcls } from './create-acls.ts'
import { enforceCreateDelegationToken } from './create-delegation-token.ts'
import { enforceCreatePartitions } from './create-partitions.ts'
import { enforceCreateTopics } from './create-topics.ts'
import { enforceDeleteAcls } from './delete-acls.ts'
import { enforceDeleteGroups } from './delete-groups.ts'
import { enforceDeleteRecords } from './delete-records.ts'
import { enforceDeleteShareGroupOffsets } from './delete-share-group-offsets.ts'
import { enforceDeleteTopics } from './delete-topics.ts'
import { enforceDescribeAcls } from './describe-acls.ts'
import { enforceDescribeClientQuotas } from './describe-client-quotas.ts'
import { enforceDescribeCluster } from './describe-cluster.ts'
import { enforceDescribeConfigs } from './describe-configs.ts'
import { enforceDescribeDelegationToken } from './describe-delegation-token.ts'
import { enforceDescribeGroups } from './describe-groups.ts'
import { enforceDescribeLogDirs } from './describe-log-dirs.ts'
import { enforceDescribeProducers } from './describe-producers.ts'
import { enforceDescribeQuorum } from './describe-quorum.ts'
import { enforceDescribeShareGroupOffsets } from './describe-share-group-offsets.ts'
import { enforceDescribeTopicPartitions } from './describe-topic-partitions.ts'
import { enforceDescribeTransactions } from './describe-transactions.ts'
import { enforceDescribeUserScramCredentials } from './describe-user-scram-credentials.ts'
import { enforceElectLeaders } from './elect-leaders.ts'
import { enforceEndTxn } from './end-txn.ts'
import type { AclFacts, Enforcement, EnforcementOf, Ruling } from './enforcement.ts'
import { enforceFetch } from './fetch.ts'
import { enforceFindCoordinator } from './find-coordinator.ts'
import { enforceHeartbeat } from './heartbeat.ts'
import { enforceIncrementalAlterConfigs } from './incremental-alter-configs.ts'
import { enforceInitProducerId } from './init-producer-id.ts'
import { enforceJoinGroup } from './join-group.ts'
import { type DecisionLog, Judge } from './judge.ts'
import { enforceLeaveGroup } from './leave-group.ts'
import { enforceListConfigResources } from './list-config-resources.ts'
import { enforceListGroups } from './list-groups.ts'
import { enforceListOffsets } from './list-offsets.ts'
import { enforceListPartitionReassignments } from './list-partition-reassignments.ts'
import { enforceListTransactions } from './list-transactions.ts'
import { MemberExpressions } from './member-expressions.ts'
import { enforceMetadata } from './metadata.ts'
import { enforceOffsetCommit } from './offset-commit.ts'
import { enforceOffsetDelete } from './offset-delete.ts'
import { enforceOffsetFetch } from './offset-fetch.ts'
import { enforceOffsetForLeaderEpoch } from './offset-for-leader-epoch.ts'
import type { Policy } from './policy/policy.ts'
import { enforceProduce } from './produce.ts'
import { enforcePushTelemetry } from './push-telemetry.ts'
import { enforceRemoveRaftVoter } from './remove-raft-voter.ts'
import { SessionRoom } from './session-room.ts'
import { enforceShareAcknowledge } from './share-acknowledge.ts'
import { enforceShareFetch } from './share-fetch.ts'
import { enforceShareGroupDescribe } from './share-group-describe.ts'
import { enforceShareGroupHeartbeat } from './share-group-heartbeat.ts'
import { ShareSessions } from './share-sessions.ts'
import { enforceStreamsGroupDescribe } from './streams-group-describe.ts'
import { enforceStreamsGroupHeartbeat } from './streams-group-heartbeat.ts'
import { enforceStreamsGroupTopologyDescriptionUpdate } from './streams-group-topology-description-update.ts'
import { enforceSyncGroup } from './sync-group.ts'
import { TopicExpressions } from './topic-expressions.ts'
import { enforceTxnOffsetCommit } from './txn-offset-commit.ts'
import { enforceUnregisterBroker } from './unregister-broker.ts'
import { enforceUnregisterController } from './unregister-controller.ts'
import { enforceUpdateFeatures } from './update-features.ts'
import { enforceWriteTxnMarkers } from './write-txn-markers.ts'

/** Asks for nothing that a policy could deny: answered here, or judged by the brokers alone. */
const free: Enforcement = Object.freeze({})

export function enforcements(known: AclFacts): ReadonlyMap<number, Enforcement> {
  const { sessionRoom = new SessionRoom() } = known
  const facts = { ...known, sessionRoom }
  const rows = new Map<number, Enforcement>()
  const { topics, subscribedExpression, pause = setImmediate } = facts
  const members = new MemberExpressions()
  const expressions = new TopicExpressions({ topics, pause })
  const share = { topics: facts.topics, sessions: new ShareSessions(sessionRoom) }
  const add = <Key extends ApiKey>(key: Key, row: EnforcementOf<Key>): void => void rows.set(key, row as Enforcement)
  add(ApiKey.Produce, enforceProduce(facts))
  add(ApiKey.Fetch, enforceFetch(facts))
  add(ApiKey.ListOffsets, enforceListOffsets())
  add(ApiKey.Metadata, enforceMetadata(facts))
  add(ApiKey.OffsetCommit, enforceOffsetCommit(facts))
  add(ApiKey.OffsetFetch, enforceOffsetFetch(facts))
  add(ApiKey.FindCoordinator, enforceFindCoordinator())
  add(ApiKey.JoinGroup, enforceJoinGroup())
  add(ApiKey.Heartbeat, enforceHeartbeat())
  add(ApiKey.LeaveGroup, enforceLeaveGroup())
  add(ApiKey.SyncGroup, enforceSyncGroup())
  add(ApiKey.DescribeGroups, enforceDescribeGroups())
  add(ApiKey.ListGroups, enforceListGroups())
  rows.set(ApiKey.SaslHandshake, free)
  rows.set(ApiKey.ApiVersions, free)
  add(ApiKey.CreateTopics, enforceCreateTopics(facts))
  add(ApiKey.DeleteTopics, enforceDeleteTopics(facts))
  add(ApiKey.DeleteRecords, enforceDeleteRecords())
  add(ApiKey.InitProducerId, enforceInitProducerId())
  add(ApiKey.OffsetForLeaderEpoch, enforceOffsetForLeaderEpoch())
  add(ApiKey.AddPartitionsToTxn, enforceAddPartitionsToTxn())
  add(ApiKey.AddOffsetsToTxn, enforceAddOffsetsToTxn())
  add(ApiKey.EndTxn, enforceEndTxn())
  add(ApiKey.WriteTxnMarkers, enforceWriteTxnMarkers())
  add(ApiKey.TxnOffsetCommit, enforceTxnOffsetCommit(facts))
  add(ApiKey.DescribeAcls, enforceDescribeAcls())
  add(ApiKey.CreateAcls, enforceCreateAcls())
  add(ApiKey.DeleteAcls, enforceDeleteAcls())
  add(ApiKey.DescribeConfigs, enforceDescribeConfigs(facts))
  add(ApiKey.AlterConfigs, enforceAlterConfigs(facts))
  add(ApiKey.AlterReplicaLogDirs, enforceAlterReplicaLogDirs())
  add(ApiKey.DescribeLogDirs, enforceDescribeLogDirs())
  rows.set(ApiKey.SaslAuthenticate, free)
  add(ApiKey.CreatePartitions, enforceCreatePartitions())
  add(ApiKey.CreateDelegationToken, enforceCreateDelegationToken())
  rows.set(ApiKey.RenewDelegationToken, free)
  rows.set(ApiKey.ExpireDelegationToken, free)
  add(ApiKey.DescribeDelegationToken, enforceDescribeDelegationToken())
  add(ApiKey.DeleteGroups, enforceDeleteGroups())
  add(ApiKey.ElectLeaders, enforceElectLeaders())
  add(ApiKey.IncrementalAlterConfigs, enforceIncrementalAlterConfigs(facts))
  add(ApiKey.AlterPartitionReassignments, enforceAlterPartitionReassignments())
  add(ApiKey.ListPartitionReassignments, enforceListPartitionReassignments())
  add(ApiKey.OffsetDelete, enforceOffsetDelete())
  add(ApiKey.DescribeClientQuotas, enforceDescribeClientQuotas())
  add(ApiKey.AlterClientQuotas, enforceAlterClientQuotas())
  add(ApiKey.DescribeUserScramCredentials, enforceDescribeUserScramCredentials())
  add(ApiKey.AlterUserScramCredentials, enforceAlterUserScramCredentials())
  add(ApiKey.DescribeQuorum, enforceDescribeQuorum())
  add(ApiKey.UpdateFeatures, enforceUpdateFeatures())
  add(ApiKey.DescribeCluster, enforceDescribeCluster())
  add(ApiKey.DescribeProducers, enforceDescribeProducers())
  add(ApiKey.UnregisterBroker, enforceUnregisterBroker())
  add(ApiKey.DescribeTransactions, enforceDescribeTransactions())
  add(ApiKey.ListTransactions, enforceListTransactions())
  add(ApiKey.ConsumerGroupHeartbeat, enforceConsumerGroupHeartbeat({ members, expressions, subscribedExpression }))
  add(ApiKey.ConsumerGroupDescribe, enforceConsumerGroupDescribe(members))
  rows.set(ApiKey.GetTelemetrySubscriptions, free)
  add(ApiKey.PushTelemetry, enforcePushTelemetry())
  add(ApiKey.ListConfigResources, enforceListConfigResources(facts))
  add(ApiKey.DescribeTopicPartitions, enforceDescribeTopicPartitions(facts))
  add(ApiKey.ShareGroupHeartbeat, enforceShareGroupHeartbeat())
  add(ApiKey.ShareGroupDescribe, enforceShareGroupDescribe())
  add(ApiKey.ShareFetch, enforceShareFetch(share))
  add(ApiKey.ShareAcknowledge, enforceShareAcknowledge(share))
  add(ApiKey.AddRaftVoter, enforceAddRaftVoter())
  add(ApiKey.RemoveRaftVoter, enforceRemoveRaftVoter())
  add(ApiKey.StreamsGroupHeartbeat, enforceStreamsGroupHeartbeat(facts, expressions))
  add(ApiKey.StreamsGroupDescribe, enforceStreamsGroupDescribe())
  add(ApiKey.DescribeShareGroupOffsets, enforceDescribeShareGroupOffsets())
  add(ApiKey.AlterShareGroupOffsets, enforceAlterShareGroupOffsets())
  add(ApiKey.DeleteShareGroupOffsets, enforceDeleteShareGroupOffsets())
  add(ApiKey.StreamsGroupTopologyDescriptionUpdate, enforceStreamsGroupTopologyDescriptionUpdate())
  add(ApiKey.UnregisterController, enforceUnregisterController())
  return rows
}

export interface AclOptions {
  readonly rows: ReadonlyMap<number, Enforcement>
  /** The policy in force, and the one that is tried beside it. */
  readonly policies: () => { readonly inForce: Policy; readonly shadow: Policy | undefined }
  readonly log: DecisionLog
  /** False in audit mode. */
  readonly isEnforcing: boolean
  /** False while decisions cannot be written down and have to be: nothing is decided then. */
  readonly mayDecide?: () => boolean
}

export function createAcl({ rows, policies, log, isEnforcing, mayDecide = () => true }: AclOptions): Stage {
  const judgeOf = (exchange: Exchange): Judge => {
    const { inForce, shadow } = policies()
    return new Judge({ policy: inForce, shadow, exchange, log, isEnforcing })
  }
  const stage: Stage = {
    name: 'acl',
    handler(apiKey) {
      const row = rows.get(apiKey)
      // Not served, so never asked; were it asked, it would end here.
      if (row === undefined) return { request: () => closeAfterAnswers('no row in the policy') }
      return row === free ? undefined : handlerOf({ row, stage, judgeOf, mayDecide })
    },
  }
  return stage
}

interface HandlerOptions {
  readonly row: Enforcement
  /** Whose denials these are: of one stage or of another. */
  readonly stage: object
  readonly judgeOf: (exchange: Exchange) => Judge
  readonly mayDecide: () => boolean
}

function handlerOf({ row, stage, judgeOf, mayDecide }: HandlerOptions): ApiHandler {
  /** What was denied joins the answer last: it is not judged once more. */
  const payDebt = (isChanged: boolean, exchange: Exchange): ResponseOutcome =>
    exchange.payDebtOf(stage) || isChanged ? changed : unchanged
  return {
    request(body, exchange) {
      // Closed, not denied: clients come again, and take no denial for an answer that was never given.
      if (!mayDecide()) return closeAfterAnswers('decisions cannot be written down, and audit.required says they must')
      if (row.request === undefined) return unchanged
      const ruling = row.request(body, judgeOf(exchange), exchange)
      return ruling instanceof Promise
        ? ruling.then(settled => carryOut(settled, stage, exchange))
        : carryOut(ruling, stage, exchange)
    },
    response(body, exchange) {
      const isChanged = row.response?.(body, judgeOf(exchange), exchange) ?? false
      return isChanged instanceof Promise
        ? isChanged.then(settled => payDebt(settled, exchange))
        : payDebt(isChanged, exchange)
    },
  }
}

function carryOut(ruling: Ruling, stage: object, exchange: Exchange): RequestOutcome {
  switch (ruling.kind) {
    case 'whole':
    case 'part':
      if (ruling.merge !== undefined) exchange.owe(stage, ruling.merge)
      if (ruling.kind === 'whole') return unchanged
      return ruling.isLast === true ? changedAndLast : changed
    case 'answer':
      return respond(ruling.response)
    case 'close':
      return closeAfterAnswers(ruling.reason)
  }
}
