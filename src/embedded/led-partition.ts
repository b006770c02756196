/** The questions every API asks that goes to a partition's leader, and the hint for those who asked another node (KIP-951). */
import { ErrorCode } from '../protocol/error-code.ts'
import type { BrokerAddress } from './cluster-state.ts'
import type { Call } from './handler.ts'
import { noLeader, type Partition } from './partition.ts'
import type { Topic } from './topics.ts'

export type LedPartition =
  | { readonly kind: 'led'; readonly partition: Partition }
  | { readonly kind: 'refused'; readonly errorCode: ErrorCode; readonly partition: Partition | undefined }

export interface PartitionQuestion {
  readonly topic: Topic | undefined
  readonly index: number
  /** The answer where there is no such topic: names and ids have an error each. */
  readonly missing?: ErrorCode
  /** −1: the client does not say. */
  readonly leaderEpoch?: number
}

export function ledPartition(call: Pick<Call, 'nodeId' | 'refusal'>, question: PartitionQuestion): LedPartition {
  const { topic, index, missing = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, leaderEpoch = -1 } = question
  const partition = topic?.partitions[index]
  const refused = (errorCode: ErrorCode): LedPartition => ({ kind: 'refused', errorCode, partition })
  if (call.refusal !== undefined) return refused(call.refusal)
  if (topic === undefined) return refused(missing)
  if (partition === undefined) return refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  if (partition.leaderId !== call.nodeId) return refused(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  if (leaderEpoch >= 0 && leaderEpoch < partition.leaderEpoch) return refused(ErrorCode.FENCED_LEADER_EPOCH)
  if (leaderEpoch > partition.leaderEpoch) return refused(ErrorCode.UNKNOWN_LEADER_EPOCH)
  return { kind: 'led', partition }
}

export interface LeaderHint {
  readonly leaderId: number
  readonly leaderEpoch: number
}

export const noHint: LeaderHint = { leaderId: -1, leaderEpoch: -1 }

/** Who leads, for an answer that says "not me". */
export function leaderHint(errorCode: ErrorCode, partition: Partition | undefined): LeaderHint {
  const isMoved = errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER || errorCode === ErrorCode.FENCED_LEADER_EPOCH
  if (!isMoved || partition === undefined) return noHint
  return { leaderId: partition.leaderId, leaderEpoch: partition.leaderEpoch }
}

/** Where those leaders are. */
export function hintedBrokers(call: Pick<Call, 'cluster'>, hints: Iterable<LeaderHint>): BrokerAddress[] {
  const ids = new Set(Array.from(hints, ({ leaderId }) => leaderId))
  ids.delete(noLeader)
  return [...ids].flatMap(id => {
    const broker = call.cluster.brokers.get(id)
    return broker === undefined ? [] : { ...broker }
  })
}
