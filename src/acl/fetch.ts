/**
 * Fetch: Read on every topic of the session, not only on those that a request names; an id that nobody knows is unknown
 * before it is denied. Errors stand on the partitions and come again with every answer of a session; the error of the
 * whole is for the session alone. (KafkaApis.handleFetchRequest, FetchSession.scala)
 *
 * Broker and client both count the requests of a session, so none is swallowed. What is answered here is outside a
 * session or an error that ends it; anything else is forwarded, be it without a topic.
 */
import type { Exchange } from '../pipeline/exchange.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import { zeroUuid } from '../protocol/empty.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { FetchRequest } from '../protocol/generated/fetch-request.ts'
import {
  type FetchableTopicResponse,
  type FetchResponse,
  type FetchResponsePartitionData,
  fetchResponseDefaults,
  fetchResponsePartitionDataDefaults,
} from '../protocol/generated/fetch-response.ts'
import type { TopicCatalog } from '../topology/topic-catalog.ts'
import { Span } from '../wire/span.ts'
import { type AclFacts, answer, type EnforcementOf, part, type Ruling, whole, wholeWith } from './enforcement.ts'
import { FetchSession, FetchSessions } from './fetch-sessions.ts'
import type { Judge } from './judge.ts'
import { topic as topicRights } from './rights.ts'
import { append, splitDenied } from './split.ts'

const topicIdsFrom = 13
/** Session epochs that name every partition: the first of a session, and the last or only one (FetchMetadata). */
const Epoch = { initial: 0, final: -1 } as const

export function enforceFetch({ topics: catalog }: AclFacts): EnforcementOf<typeof ApiKey.Fetch> {
  const sessions = new FetchSessions()
  return {
    request(body, judge, exchange) {
      const usesIds = exchange.header.apiVersion >= topicIdsFrom
      const asked: Asked = { body, judge, exchange, sessions, usesIds, errorOf: errors(judge, catalog, usesIds) }
      const rule = (): Ruling<FetchResponse> => (isFull(body) ? ruleFull(asked) : ruleIncremental(asked))
      return usesIds ? catalog.whenKnown(idsIn(asked), rule) : rule()
    },

    response(body, judge, exchange) {
      const usesIds = exchange.header.apiVersion >= topicIdsFrom
      const check = (): boolean => {
        const isHiding = hideDenied(body, usesIds, visible(judge, catalog, usesIds))
        follow(body, exchange, sessions, isHiding)
        return isHiding
      }
      if (!usesIds) return check()
      const ids = body.responses.map(({ topicId }) => topicId)
      return catalog.whenKnown(ids, check)
    },
  }
}

/** The error that a topic's partitions are answered with, 0 where it is allowed. Topics are ids or names. */
type ErrorOf = (topic: string) => number

interface Asked {
  readonly body: FetchRequest
  readonly judge: Judge
  readonly exchange: Exchange
  readonly sessions: FetchSessions
  readonly usesIds: boolean
  readonly errorOf: ErrorOf
}

function errors(judge: Judge, catalog: TopicCatalog, usesIds: boolean): ErrorOf {
  return topic => {
    const name = usesIds ? catalog.nameOf(topic) : topic
    if (name === undefined) return ErrorCode.UNKNOWN_TOPIC_ID
    return judge.allows(topicRights.read, name) ? 0 : ErrorCode.TOPIC_AUTHORIZATION_FAILED
  }
}

/** The same of an answer: what was allowed when it was asked for is only written down where it no longer is. */
function visible(judge: Judge, catalog: TopicCatalog, usesIds: boolean): ErrorOf {
  const errorOf = errors(judge, catalog, usesIds)
  return topic => {
    const name = usesIds ? catalog.nameOf(topic) : topic
    return name !== undefined && judge.sees(topicRights.read, name) ? 0 : errorOf(topic)
  }
}

function isFull({ sessionEpoch }: FetchRequest): boolean {
  return sessionEpoch === Epoch.initial || sessionEpoch === Epoch.final
}

/** Ids that are about to be judged. */
function idsIn({ body, judge, exchange, sessions }: Asked): readonly string[] {
  const listed = body.topics.map(({ topicId }) => topicId)
  const session = isFull(body) ? undefined : sessions.find(exchange.client, body.sessionId)
  return session !== undefined && isInDoubt(session, judge) ? [...session.topics(), ...listed] : listed
}

/** Every partition is listed. A session that is named is closed by it, and one of somebody else is not ours to close. */
function ruleFull({ body, judge, exchange, sessions, usesIds, errorOf }: Asked): Ruling<FetchResponse> {
  let isChanged = false
  if (body.sessionId !== 0 && !sessions.forget(exchange.client, body.sessionId)) {
    body.sessionId = 0
    isChanged = true
  }
  // A full request has nothing to forget; names are not forwarded unjudged.
  if (body.forgottenTopicsData.length > 0) {
    body.forgottenTopicsData = []
    isChanged = true
  }
  const isOpening = body.sessionEpoch === Epoch.initial
  // Also gathers what is denied outside a session, each partition once.
  const session = new FetchSession(usesIds, judge.policy.generation)
  if (isOpening) sessions.willOpen(exchange, session)
  const split = splitDenied(body.topics, topic => {
    const key = keyOf(topic, usesIds)
    const errorCode = errorOf(key)
    if (isOpening || errorCode !== 0) session.want(key, topic.partitions, errorCode)
    return errorCode === 0
  })
  if (split === undefined) return isChanged ? part() : whole
  const denials = denialsIn(session)
  if (split.allowed.length === 0) {
    if (body.sessionId === 0) return answer({ ...fetchResponseDefaults(), responses: denials })
    // The broker still has to close what the client closes; with nothing to fetch it must not open another.
    body.sessionEpoch = Epoch.final
  }
  body.topics = split.allowed
  return part(mergeOf(denials))
}

function ruleIncremental(asked: Asked): Ruling<FetchResponse> {
  const { body, exchange, sessions, usesIds } = asked
  const session = sessions.find(exchange.client, body.sessionId)
  if (session === undefined) return sessionError(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  if (session.usesIds !== usesIds) {
    session.isBroken = true
    return sessionError(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
  }
  if (!isStillTrue(session, asked) || !judgeListed(session, asked)) {
    session.isBroken = true
    return sessionError(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
  }
  return forwardIn(session, asked)
}

function isInDoubt(session: FetchSession, judge: Judge): boolean {
  return session.generation !== judge.policy.generation || session.hasUnknownIds
}

/** Judges all topics of the session anew where anything may have changed. */
function isStillTrue(session: FetchSession, { judge, errorOf }: Asked): boolean {
  if (session.isBroken) return false
  if (!isInDoubt(session, judge)) return true
  for (const topic of session.topics()) if (errorOf(topic) !== session.errorOf(topic)) return false
  session.generation = judge.policy.generation
  return true
}

/** Takes what the request lists into the session, as the broker does before it forgets anything. */
function judgeListed(session: FetchSession, { body, usesIds, errorOf }: Asked): boolean {
  for (const topic of body.topics) {
    const key = keyOf(topic, usesIds)
    const errorCode = errorOf(key)
    if ((session.errorOf(key) ?? errorCode) !== errorCode) return false
    session.want(key, topic.partitions, errorCode)
  }
  return !session.isTooLarge
}

/** What is denied stays here; the broker neither gets to know of it nor forgets it. */
function forwardIn(session: FetchSession, { body, usesIds }: Asked): Ruling<FetchResponse> {
  const isForwarded = (topic: Topic): boolean => session.errorOf(keyOf(topic, usesIds)) === 0
  const topics = splitDenied(body.topics, isForwarded)
  const forgotten = splitDenied(body.forgottenTopicsData, isForwarded)
  for (const topic of body.forgottenTopicsData) session.forget(keyOf(topic, usesIds), topic.partitions)
  if (topics !== undefined) body.topics = topics.allowed
  if (forgotten !== undefined) body.forgottenTopicsData = forgotten.allowed
  const denials = denialsIn(session)
  const isWhole = topics === undefined && forgotten === undefined
  if (denials.length === 0) return isWhole ? whole : part()
  const merge = mergeOf(denials)
  return isWhole ? wholeWith(merge) : part(merge)
}

/** An error of the session stands alone, and so does being throttled (KIP-219). */
function mergeOf(denials: readonly FetchableTopicResponse[]): (response: FetchResponse) => void {
  return ({ errorCode, throttleTimeMs, responses }) => {
    if (errorCode !== 0 || (throttleTimeMs > 0 && responses.length === 0)) return
    append(responses, denials)
  }
}

function hideDenied({ responses }: FetchResponse, usesIds: boolean, errorOf: ErrorOf): boolean {
  let isHiding = false
  for (const topic of responses) {
    const errorCode = errorOf(keyOf(topic, usesIds))
    if (errorCode === 0) continue
    topic.partitions = topic.partitions.map(({ partitionIndex }) => refused(partitionIndex, errorCode))
    isHiding = true
  }
  return isHiding
}

/** Keeps up with what the answer does to the session. A broker that lost it has nothing to close any more. */
function follow(response: FetchResponse, exchange: Exchange, sessions: FetchSessions, isHiding: boolean): void {
  const request = exchange.request as FetchRequest
  const { errorCode, sessionId } = response
  if (isFull(request)) {
    const session = errorCode === 0 && sessionId !== 0 ? sessions.open(exchange, sessionId) : undefined
    if (session !== undefined) session.isBroken = isHiding
    return
  }
  const session = sessions.find(exchange.client, request.sessionId)
  if (session === undefined) return
  if (errorCode === 0 ? sessionId !== request.sessionId : errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND) {
    sessions.forget(exchange.client, request.sessionId)
  }
  // The broker believes that the client has what was hidden from it.
  if (errorCode !== 0 || isHiding) session.isBroken = true
}

interface Topic {
  readonly topic: string
  readonly topicId: string
}

function keyOf({ topic, topicId }: Topic, usesIds: boolean): string {
  return usesIds ? topicId : topic
}

function sessionError(errorCode: number): Ruling<FetchResponse> {
  return answer({ ...fetchResponseDefaults(), errorCode })
}

function denialsIn(session: FetchSession): FetchableTopicResponse[] {
  return session.denied().map(({ topic, errorCode, partitions }) => ({
    ...(session.usesIds ? { topic: '', topicId: topic } : { topic, topicId: zeroUuid }),
    partitions: Array.from(partitions, partition => refused(partition, errorCode)),
  }))
}

/** FetchResponse.partitionResponse. */
function refused(partitionIndex: number, errorCode: number): FetchResponsePartitionData {
  return {
    ...fetchResponsePartitionDataDefaults(),
    partitionIndex,
    errorCode,
    highWatermark: -1n,
    records: Span.empty,
  }
}
