/**
 * Produce: a transaction's batches need Write on the transactional id, or nothing is written; every topic needs Write,
 * and the others are written all the same. (KafkaApis.handleProduceRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { ProduceRequest, TopicProduceData } from '../protocol/generated/produce-request.ts'
import {
  type ProduceResponse,
  partitionProduceResponseDefaults,
  produceResponseDefaults,
  type TopicProduceResponse,
} from '../protocol/generated/produce-response.ts'
import { isFirstBatchTransactional } from '../records/first-batch.ts'
import { type AclFacts, answer, type EnforcementOf, part, type Ruling, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { joinRepeated } from './repeated.ts'
import { topic as topicRights, transactionalId } from './rights.ts'
import { append, splitDenied } from './split.ts'

export function enforceProduce({ topics }: AclFacts): EnforcementOf<typeof ApiKey.Produce> {
  return {
    request(body, judge, { header }) {
      if (!mayWriteTransactions(body, judge)) {
        return refuseAll(body, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
      }
      if (header.apiVersion < topicIdsFrom) return judgeTopics(body, judge, ({ name }) => name)
      const ids = body.topicData.map(({ topicId }) => topicId)
      return topics.whenKnown(ids, () => judgeTopics(body, judge, ({ topicId }) => topics.nameOf(topicId)))
    },
  }
}

const topicIdsFrom = 13

/** CVE-2018-17196: what the batches say counts, not whether the request names a transaction. */
function mayWriteTransactions({ topicData, transactionalId: id }: ProduceRequest, judge: Judge): boolean {
  const isTransactional = topicData.some(({ partitionData }) =>
    partitionData.some(({ records }) => isFirstBatchTransactional(records)),
  )
  return !isTransactional || (id !== null && judge.allows(transactionalId.write, id))
}

function judgeTopics(
  body: ProduceRequest,
  judge: Judge,
  nameOf: (data: TopicProduceData) => string | undefined,
): Ruling<ProduceResponse> {
  const denials: TopicProduceResponse[] = []
  const split = splitDenied(body.topicData, data => {
    const name = nameOf(data)
    if (name !== undefined && judge.allows(topicRights.write, name)) return true
    denials.push(denial(data, name === undefined ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.TOPIC_AUTHORIZATION_FAILED))
    return false
  })
  if (split === undefined) return whole
  if (split.allowed.length === 0) return refuse(body, denials)
  body.topicData = split.allowed
  // Nobody hears of a denial with acks=0: Kafka closes the connection instead.
  if (body.acks === 0) return { kind: 'part', isLast: true }
  return part(response => append(response.responses, joined(denials)))
}

function refuseAll(body: ProduceRequest, errorCode: number): Ruling<ProduceResponse> {
  return refuse(
    body,
    body.topicData.map(data => denial(data, errorCode)),
  )
}

function refuse({ acks }: ProduceRequest, responses: TopicProduceResponse[]): Ruling<ProduceResponse> {
  if (acks === 0) return { kind: 'close', reason: 'denied, and acks=0 has no answer' }
  return answer({ ...produceResponseDefaults(), responses: joined(responses) })
}

/** Each partition is told once. */
function joined(responses: readonly TopicProduceResponse[]): TopicProduceResponse[] {
  const keyOf = ({ name, topicId }: TopicProduceResponse): string => topicId + name
  return joinRepeated(
    responses,
    keyOf,
    ({ partitionResponses }) => partitionResponses,
    ({ index }) => index,
  )
}

/** Without a text: Kafka leaves out the one that goes with the code (ApiError.fromThrowable). */
function denial({ name, topicId, partitionData }: TopicProduceData, errorCode: number): TopicProduceResponse {
  const partitionResponses = partitionData.map(({ index }) => ({
    ...partitionProduceResponseDefaults(),
    index,
    errorCode,
    baseOffset: -1n,
    logAppendTimeMs: -1n,
    logStartOffset: -1n,
    errorMessage: null,
  }))
  return { name, topicId, partitionResponses }
}
