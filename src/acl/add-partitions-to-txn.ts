/**
 * AddPartitionsToTxn: Write on the transactional id, then Write on every topic, all or nothing: where one is denied the
 * others are told that nothing was attempted, without anybody asking whether they exist. Kafka's own topics are denied without asking. From version 4 on the request
 * is one between brokers, and is not served. (KafkaApis.handleAddPartitionsToTxnRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { AddPartitionsToTxnTopic } from '../protocol/generated/add-partitions-to-txn-request.ts'
import {
  type AddPartitionsToTxnResponse,
  type AddPartitionsToTxnTopicResult,
  addPartitionsToTxnResponseDefaults,
} from '../protocol/generated/add-partitions-to-txn-response.ts'
import { answer, type EnforcementOf, type Ruling, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { joinRepeated } from './repeated.ts'
import { topic, transactionalId } from './rights.ts'
import { isInternalTopic } from './topic-names.ts'

const brokersFrom = 4

export function enforceAddPartitionsToTxn(): EnforcementOf<typeof ApiKey.AddPartitionsToTxn> {
  return {
    request(body, judge, { header }) {
      if (header.apiVersion >= brokersFrom) return refuseBroker()
      const { v3AndBelowTransactionalId: id, v3AndBelowTopics: topics } = body
      if (!judge.allows(transactionalId.write, id)) {
        return refuse(topics.map(asked => result(asked, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)))
      }
      return judgeTopics(topics, judge)
    },
  }
}

function judgeTopics(topics: readonly AddPartitionsToTxnTopic[], judge: Judge): Ruling<AddPartitionsToTxnResponse> {
  const isAllowed = topics.map(({ name }) => !isInternalTopic(name) && judge.allows(topic.write, name))
  if (isAllowed.every(Boolean)) return whole
  const results = topics.map((asked, at) =>
    result(asked, isAllowed[at] ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.TOPIC_AUTHORIZATION_FAILED),
  )
  return refuse(results)
}

function result({ name, partitions }: AddPartitionsToTxnTopic, errorCode: number): AddPartitionsToTxnTopicResult {
  const resultsByPartition = partitions.map(partitionIndex => ({ partitionIndex, partitionErrorCode: errorCode }))
  return { name, resultsByPartition }
}

function refuse(results: readonly AddPartitionsToTxnTopicResult[]): Ruling<AddPartitionsToTxnResponse> {
  const resultsByTopicV3AndBelow = joinRepeated(
    results,
    ({ name }) => name,
    ({ resultsByPartition }) => resultsByPartition,
    ({ partitionIndex }) => partitionIndex,
  )
  return answer({ ...addPartitionsToTxnResponseDefaults(), resultsByTopicV3AndBelow })
}

function refuseBroker(): Ruling<AddPartitionsToTxnResponse> {
  const errorCode: number = ErrorCode.CLUSTER_AUTHORIZATION_FAILED
  return answer({ ...addPartitionsToTxnResponseDefaults(), errorCode })
}
