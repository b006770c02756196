/**
 * Fetch: Read on every topic of the session, not only on those that a request names; an id that nobody knows is unknown
 * before it is denied. Errors stand on the partitions and come again with every answer of a session; the error of the
 * whole is for the session alone. (KafkaApis.handleFetchRequest, FetchSession.scala)
 *
 * Broker and client both count the requests of a session, so none is swallowed: what the broker has something of is
 * forwarded, be it without a topic. A session of which it has nothing is kept here (fetch-sessions.ts).
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
import { type BrokerStep, epochAfter, FetchSession, FetchSessions } from './fetch-sessions.ts'
import type { Judge } from './judge.ts'
import { topic as topicRights } from './rights.ts'
import { SessionRoom } from './session-room.ts'
import { append, splitDenied } from './split.ts'

const topicIdsFrom = 13
/** Session epochs that name every partition: the first of a session, and the last or only one (FetchMetadata). */
const Epoch = { initial: 0, final: -1 } as const

export function enforceFetch({
  topics: catalog,
  sessionRoom: room = new SessionRoom(),
}: AclFacts): EnforcementOf<typeof ApiKey.Fetch> {
  const sessions = new FetchSessions(room)
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
        return follow(body, exchange, sessions, isHiding)
      }
      if (!usesIds) return check()
      const ids = body.responses.map(({ topicId }) => topicId)
      return catalog.whenAllKnown(ids, check)
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
  const isAsked = session?.usesIds === true && isInDoubt(session, judge)
  return isAsked ? [...session.topics(), ...listed] : listed
}

/** Every partition is listed. A session that is named is closed by it, and one of somebody else is not ours to close. */
function ruleFull(asked: Asked): Ruling<FetchResponse> {
  const { body, judge, exchange, sessions, usesIds, errorOf } = asked
  const isChanged = close(asked)
  const isOpening = body.sessionEpoch === Epoch.initial
  // Also gathers what is denied outside a session, each partition once.
  const session = new FetchSession(usesIds, judge.policy.generation)
  const split = splitDenied(body.topics, topic => {
    const key = keyOf(topic, usesIds)
    const errorCode = errorOf(key)
    if (isOpening || errorCode !== 0) session.want(key, topic.partitions, errorCode)
    return errorCode === 0
  })
  const opens = isOpening && !session.opensNowhere
  if (split === undefined || split.allowed.length > 0) {
    if (opens) sessions.expect(exchange, { session, broker: 'opens' })
    else body.sessionEpoch = Epoch.final
    if (split === undefined) return isChanged || (isOpening && !opens) ? part() : whole
    body.topics = split.allowed
    return part(mergeOf(denialsIn(session)))
  }
  const denials = denialsIn(session)
  if (opens) sessions.add(exchange.client, session)
  if (body.sessionId === 0) return answerHere(session.id, denials)
  // The broker still has to close what the client closes; with nothing to fetch it must not open another.
  if (opens) sessions.expect(exchange, { session, broker: 'ends' })
  body.sessionEpoch = Epoch.final
  body.topics = []
  return part(mergeOf(denials))
}

/** What a full request says of the session before it; whether that had to be changed for the broker. */
function close({ body, exchange, sessions }: Asked): boolean {
  const closed = sessions.find(exchange.client, body.sessionId)
  if (closed !== undefined) sessions.forget(exchange.client, closed)
  const atBroker = closed?.broker?.id ?? 0
  const isChanged = body.sessionId !== atBroker || body.forgottenTopicsData.length > 0
  body.sessionId = atBroker
  // A full request has nothing to forget; names are not forwarded unjudged.
  body.forgottenTopicsData = []
  return isChanged
}

function ruleIncremental(asked: Asked): Ruling<FetchResponse> {
  const { body, exchange, sessions, usesIds } = asked
  const session = sessions.find(exchange.client, body.sessionId)
  if (session === undefined) return sessionError(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  // In this order, and neither ends the session (FetchManager.newContext).
  if (body.sessionEpoch !== session.epoch) return sessionError(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
  if (session.usesIds !== usesIds) return sessionError(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
  if (!isStillTrue(session, asked) || !judgeListed(session, asked)) {
    session.break()
    sessions.goesOn(session)
    return sessionError(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
  }
  session.epoch = epochAfter(session.epoch)
  const ruling = proceed(session, asked)
  sessions.goesOn(session)
  return ruling
}

function isInDoubt(session: FetchSession, judge: Judge): boolean {
  return session.generation !== judge.policy.generation || session.hasUnknownIds
}

/** Judges all topics of the session anew where anything may have changed. */
function isStillTrue(session: FetchSession, { judge, errorOf }: Asked): boolean {
  // Nobody knows yet what the broker calls its own; clients wait for the answer before they go on in a session.
  if (session.isBroken || session.isOpening) return false
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
function proceed(session: FetchSession, asked: Asked): Ruling<FetchResponse> {
  const { body, exchange, sessions, usesIds } = asked
  const isForwarded = (topic: Topic): boolean => session.errorOf(keyOf(topic, usesIds)) === 0
  const topics = splitDenied(body.topics, isForwarded)
  const forgotten = splitDenied(body.forgottenTopicsData, isForwarded)
  for (const topic of body.forgottenTopicsData) session.forget(keyOf(topic, usesIds), topic.partitions)
  if (topics !== undefined) body.topics = topics.allowed
  if (forgotten !== undefined) body.forgottenTopicsData = forgotten.allowed
  const isWhole = topics === undefined && forgotten === undefined
  if (session.isEmpty) {
    sessions.forget(exchange.client, session)
    return end(session, asked, denialsOf(topics?.denied ?? [], asked))
  }
  const denials = denialsIn(session)
  if (session.broker !== undefined) return forwardIn(session, asked, { isWhole, denials })
  return session.isAllDenied ? answerHere(session.id, denials) : openAtBroker(session, asked, denials)
}

/** The client's session is without partitions, and so is the broker's: what is listed is fetched once. */
function end({ broker }: FetchSession, { body }: Asked, denials: FetchableTopicResponse[]): Ruling<FetchResponse> {
  if (broker === undefined && body.topics.length === 0) return answerHere(0, denials)
  body.sessionId = broker?.id ?? 0
  body.sessionEpoch = broker?.epoch ?? Epoch.final
  if (broker === undefined) body.forgottenTopicsData = []
  return part(mergeOf(denials))
}

function forwardIn(
  session: FetchSession,
  { body, exchange, sessions }: Asked,
  { isWhole, denials }: { readonly isWhole: boolean; readonly denials: FetchableTopicResponse[] },
): Ruling<FetchResponse> {
  const broker = session.broker!
  const isSame = body.sessionId === broker.id && body.sessionEpoch === broker.epoch
  body.sessionId = broker.id
  body.sessionEpoch = broker.epoch
  broker.epoch = epochAfter(broker.epoch)
  const step: BrokerStep = session.isAllDenied ? 'ends' : 'continues'
  sessions.expect(exchange, { session, broker: step })
  if (step === 'ends') {
    session.broker = undefined
    // Whatever it lists, it forgets at once: outside a session that would be fetched.
    body.topics = []
    return part(mergeOf(denials))
  }
  const merge = denials.length === 0 ? undefined : mergeOf(denials)
  if (!isWhole || !isSame) return part(merge)
  return merge === undefined ? whole : wholeWith(merge)
}

/** The first of a session that the broker may hear of: to the broker it is a new one. */
function openAtBroker(
  session: FetchSession,
  { body, exchange, sessions, usesIds }: Asked,
  denials: FetchableTopicResponse[],
): Ruling<FetchResponse> {
  session.isOpening = true
  sessions.expect(exchange, { session, broker: 'opens' })
  body.sessionId = 0
  body.sessionEpoch = Epoch.initial
  for (const topic of body.topics) {
    const key = keyOf(topic, usesIds)
    topic.partitions = topic.partitions.filter(({ partition }) => session.has(key, partition))
  }
  body.topics = body.topics.filter(({ partitions }) => partitions.length > 0)
  body.forgottenTopicsData = []
  return part(mergeOf(denials))
}

/** An error of the session stands alone, and so does being throttled (KIP-219). */
function mergeOf(denials: FetchableTopicResponse[]): (response: FetchResponse) => void {
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

/** Keeps up with what the answer does to the session; whether anything of the answer was changed. */
function follow(response: FetchResponse, exchange: Exchange, sessions: FetchSessions, isHiding: boolean): boolean {
  const underway = sessions.expected(exchange)
  if (underway === undefined) return isHiding
  const { session, broker } = underway
  const { errorCode, sessionId } = response
  session.isOpening = false
  // The broker believes that the client has what was hidden from it.
  if (errorCode !== 0 || isHiding) session.break()
  if (errorCode !== 0) {
    // A broker that lost it has nothing to close any more.
    if (errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND) sessions.forget(exchange.client, session)
    return isHiding
  }
  if (broker === 'opens' && sessionId !== 0) session.broker = { id: sessionId, epoch: 1 }
  if (session.id === 0) {
    // Where the broker has no room for a session the client has none.
    if (session.broker === undefined) return isHiding
    sessions.add(exchange.client, session)
  } else if (broker !== 'ends' && sessionId !== session.broker?.id) {
    // It has not taken what it was asked to take.
    session.break()
  }
  if (sessionId === session.id) return isHiding
  response.sessionId = session.id
  return true
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

function answerHere(sessionId: number, responses: FetchableTopicResponse[]): Ruling<FetchResponse> {
  return answer({ ...fetchResponseDefaults(), sessionId, responses })
}

/** Each partition once. */
function denialsOf(
  topics: readonly FetchRequest['topics'][number][],
  { judge, usesIds, errorOf }: Asked,
): FetchableTopicResponse[] {
  const denied = new FetchSession(usesIds, judge.policy.generation)
  for (const topic of topics) {
    const key = keyOf(topic, usesIds)
    denied.want(key, topic.partitions, errorOf(key))
  }
  return denialsIn(denied)
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
