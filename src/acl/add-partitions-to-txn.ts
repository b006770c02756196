/**
 * AddPartitionsToTxn: Write on the transactional id, then Write on every topic, all or nothing: where one is denied, or is
 * not there, the others are told that nothing was attempted. Which are not there the broker knows, so it is asked about
 * the allowed ones; a topic that cannot exist takes the place of the denied ones and keeps it from adding any. Kafka's own
 * topics are denied without asking. From version 4 on the request is one between brokers, and is not served.
 * (KafkaApis.handleAddPartitionsToTxnRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnTopic,
} from '../protocol/generated/add-partitions-to-txn-request.ts'
import {
  type AddPartitionsToTxnResponse,
  type AddPartitionsToTxnTopicResult,
  addPartitionsToTxnResponseDefaults,
} from '../protocol/generated/add-partitions-to-txn-response.ts'
import { answer, type EnforcementOf, part, type Ruling, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { joinRepeated } from './repeated.ts'
import { topic, transactionalId } from './rights.ts'
import { splitDenied } from './split.ts'
import { isInternalTopic } from './topic-names.ts'

const brokersFrom = 4

export function enforceAddPartitionsToTxn(): EnforcementOf<typeof ApiKey.AddPartitionsToTxn> {
  return {
    request(body, judge, { header }) {
      if (header.apiVersion >= brokersFrom) return refuseBroker()
      const { v3AndBelowTransactionalId: id, v3AndBelowTopics: topics } = body
      if (!judge.allows(transactionalId.write, id)) {
        // Told as often as it was asked, unlike what is denied below.
        return refuse(topics.map(asked => denial(asked, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)))
      }
      return judgeTopics(body, judge)
    },
  }
}

/** No topic has an empty name. */
const noTopic = { name: '', partition: 0 } as const

function judgeTopics(body: AddPartitionsToTxnRequest, judge: Judge): Ruling<AddPartitionsToTxnResponse> {
  const split = splitDenied(
    body.v3AndBelowTopics,
    ({ name }) => !isInternalTopic(name) && judge.allows(topic.write, name),
  )
  if (split === undefined) return whole
  const denied = denials(split.denied)
  if (split.allowed.length === 0) return refuse(denied)
  const isAskedForNoTopic = split.allowed.some(
    ({ name, partitions }) => name === noTopic.name && partitions.includes(noTopic.partition),
  )
  body.v3AndBelowTopics = [...split.allowed, { name: noTopic.name, partitions: [noTopic.partition] }]
  return part(response => {
    const results = response.resultsByTopicV3AndBelow
    if (!isAskedForNoTopic) takeOutNoTopic(results)
    // Kafka's order is that of a hash map. kafkajs goes by the first error that it finds.
    response.resultsByTopicV3AndBelow = [...denied, ...results]
  })
}

function takeOutNoTopic(results: AddPartitionsToTxnTopicResult[]): void {
  const at = results.findIndex(({ name }) => name === noTopic.name)
  if (at === -1) return
  const { resultsByPartition } = results[at]!
  const asked = resultsByPartition.filter(({ partitionIndex }) => partitionIndex !== noTopic.partition)
  if (asked.length === 0) results.splice(at, 1)
  else results[at]!.resultsByPartition = asked
}

function denial({ name, partitions }: AddPartitionsToTxnTopic, errorCode: number): AddPartitionsToTxnTopicResult {
  const resultsByPartition = partitions.map(partitionIndex => ({ partitionIndex, partitionErrorCode: errorCode }))
  return { name, resultsByPartition }
}

/** Each partition once. */
function denials(topics: readonly AddPartitionsToTxnTopic[]): AddPartitionsToTxnTopicResult[] {
  return joinRepeated(
    topics.map(asked => denial(asked, ErrorCode.TOPIC_AUTHORIZATION_FAILED)),
    ({ name }) => name,
    ({ resultsByPartition }) => resultsByPartition,
    ({ partitionIndex }) => partitionIndex,
  )
}

function refuse(resultsByTopicV3AndBelow: AddPartitionsToTxnTopicResult[]): Ruling<AddPartitionsToTxnResponse> {
  return answer({ ...addPartitionsToTxnResponseDefaults(), resultsByTopicV3AndBelow })
}

function refuseBroker(): Ruling<AddPartitionsToTxnResponse> {
  const errorCode: number = ErrorCode.CLUSTER_AUTHORIZATION_FAILED
  return answer({ ...addPartitionsToTxnResponseDefaults(), errorCode })
}
