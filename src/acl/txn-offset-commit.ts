/**
 * TxnOffsetCommit: Write on the transactional id, Read on the group, then Read on every topic. There is no error of the
 * whole: the first two denials are told on every partition. (KafkaApis.handleTxnOffsetCommitRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type {
  TxnOffsetCommitRequest,
  TxnOffsetCommitRequestTopic,
} from '../protocol/generated/txn-offset-commit-request.ts'
import {
  type TxnOffsetCommitResponse,
  type TxnOffsetCommitResponseTopic,
  txnOffsetCommitResponseDefaults,
} from '../protocol/generated/txn-offset-commit-response.ts'
import { type AclFacts, answer, type EnforcementOf, part, type Ruling, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { joinRepeated } from './repeated.ts'
import { group, topic as topicRights, transactionalId } from './rights.ts'
import { append, splitDenied } from './split.ts'

const topicIdsFrom = 6

export function enforceTxnOffsetCommit({ topics }: AclFacts): EnforcementOf<typeof ApiKey.TxnOffsetCommit> {
  return {
    request(body, judge, { header }) {
      if (!judge.allows(transactionalId.write, body.transactionalId)) {
        return refuseAll(body, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
      }
      if (!judge.allows(group.read, body.groupId)) return refuseAll(body, ErrorCode.GROUP_AUTHORIZATION_FAILED)
      if (header.apiVersion < topicIdsFrom) return judgeTopics(body, judge, ({ name }) => name)
      const ids = body.topics.map(({ topicId }) => topicId)
      return topics.whenKnown(ids, () => judgeTopics(body, judge, ({ topicId }) => topics.nameOf(topicId)))
    },
  }
}

function judgeTopics(
  body: TxnOffsetCommitRequest,
  judge: Judge,
  nameOf: (topic: TxnOffsetCommitRequestTopic) => string | undefined,
): Ruling<TxnOffsetCommitResponse> {
  const denials: TxnOffsetCommitResponseTopic[] = []
  const split = splitDenied(body.topics, topic => {
    const name = nameOf(topic)
    if (name !== undefined && judge.allows(topicRights.read, name)) return true
    denials.push(denial(topic, name === undefined ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.TOPIC_AUTHORIZATION_FAILED))
    return false
  })
  if (split === undefined) return whole
  const joined = joinRepeated(
    denials,
    ({ name, topicId }) => topicId + name,
    ({ partitions }) => partitions,
  )
  if (split.allowed.length === 0) return answer({ ...txnOffsetCommitResponseDefaults(), topics: joined })
  body.topics = split.allowed
  return part(({ topics }) => append(topics, joined))
}

function refuseAll({ topics }: TxnOffsetCommitRequest, errorCode: number): Ruling<TxnOffsetCommitResponse> {
  return answer({ ...txnOffsetCommitResponseDefaults(), topics: topics.map(topic => denial(topic, errorCode)) })
}

function denial(
  { name, topicId, partitions }: TxnOffsetCommitRequestTopic,
  errorCode: number,
): TxnOffsetCommitResponseTopic {
  return { name, topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
}
