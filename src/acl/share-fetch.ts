/**
 * ShareFetch: Read on the group, then Read on every topic of the share session; what it acknowledges on the way needs
 * the same. A denied topic's error stands on its partitions, once for the fetch and once for the acknowledgement, and
 * comes again with every answer. (KafkaApis.handleShareFetchRequest, SharePartitionManager.newContext)
 *
 * Broker and client both count the requests of a session, so whatever is no error of the whole is forwarded, be it
 * without a topic. Records that a broker hands out are acquired: what has been revoked by then is not delivered, and
 * goes to somebody else once its lock has run out.
 */
import type { Exchange } from '../pipeline/exchange.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type ShareFetchRequest,
  type ShareFetchRequestFetchTopic,
  type ShareFetchRequestForgottenTopic,
  shareFetchRequestFetchPartitionDefaults,
} from '../protocol/generated/share-fetch-request.ts'
import {
  type ShareFetchResponse,
  type ShareFetchResponsePartitionData,
  shareFetchResponseDefaults,
  shareFetchResponsePartitionDataDefaults,
} from '../protocol/generated/share-fetch-response.ts'
import type { TopicCatalog } from '../topology/topic-catalog.ts'
import { Span } from '../wire/span.ts'
import { answer, type EnforcementOf, part, type Ruling, whole, wholeWith } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { topic as topicRights } from './rights.ts'
import { memberError, type ShareFacts } from './share-member.ts'
import { ShareSession, type ShareSessions } from './share-sessions.ts'
import { splitDenied } from './split.ts'

const Epoch = { initial: 0, final: -1 } as const

export function enforceShareFetch({ topics, sessions }: ShareFacts): EnforcementOf<typeof ApiKey.ShareFetch> {
  return {
    request(body, judge, exchange) {
      const errorCode = memberError(body, judge)
      if (errorCode !== 0) return refuse(errorCode)
      const session = sessions.find(exchange.client, body)
      const listed = body.topics.map(({ topicId }) => topicId)
      const ids = session !== undefined && isInDoubt(session, judge) ? [...session.topics.keys(), ...listed] : listed
      return topics.whenKnown(ids, () => rule({ body, judge, exchange, sessions, errorOf: errors(judge, topics) }))
    },

    response(body, judge, exchange) {
      const request = exchange.request as ShareFetchRequest
      if (body.errorCode === ErrorCode.SHARE_SESSION_NOT_FOUND) sessions.forget(exchange.client, request)
      if (body.errorCode === 0 && request.shareSessionEpoch === Epoch.initial) sessions.open(exchange, request)
      const ids = body.responses.map(({ topicId }) => topicId)
      return topics.whenAllKnown(ids, () => hideDenied(body, judge, topics))
    },
  }
}

/** The error that a topic's partitions are answered with, 0 where it is allowed. */
type ErrorOf = (topicId: string) => number

interface Asked {
  readonly body: ShareFetchRequest
  readonly judge: Judge
  readonly exchange: Exchange
  readonly sessions: ShareSessions
  readonly errorOf: ErrorOf
}

function errors(judge: Judge, catalog: TopicCatalog): ErrorOf {
  return topicId => {
    const name = catalog.nameOf(topicId)
    if (name === undefined) return ErrorCode.UNKNOWN_TOPIC_ID
    return judge.allows(topicRights.read, name) ? 0 : ErrorCode.TOPIC_AUTHORIZATION_FAILED
  }
}

function isInDoubt(session: ShareSession, judge: Judge): boolean {
  return session.generation !== judge.policy.generation || session.hasUnknownIds
}

function rule(asked: Asked): Ruling<ShareFetchResponse> {
  const { body, judge, exchange, sessions } = asked
  const known = sessions.find(exchange.client, body)
  if (body.shareSessionEpoch === Epoch.initial) {
    // Nothing has been acquired yet; Kafka looks at this before it looks at topics.
    if (hasAcknowledgements(body)) return refuse(ErrorCode.INVALID_REQUEST)
    const session = new ShareSession(judge.policy.generation)
    sessions.forget(exchange.client, body)
    sessions.willOpen(exchange, session)
    return forwardIn(session, asked)
  }
  if (known === undefined) return refuse(ErrorCode.SHARE_SESSION_NOT_FOUND)
  if (body.shareSessionEpoch === Epoch.final) {
    sessions.forget(exchange.client, body)
    return forwardFinal(asked)
  }
  return forwardIn(known, asked)
}

function forwardIn(
  session: ShareSession,
  { body, judge, exchange, sessions, errorOf }: Asked,
): Ruling<ShareFetchResponse> {
  const listed = body.topics.map(({ topicId }) => topicId)
  const reviewed = isInDoubt(session, judge) ? session.topics.keys() : listed
  const corrections = review(session, reviewed, errorOf)
  session.generation = judge.policy.generation
  for (const { topicId, partitions } of body.topics) {
    const errorCode = session.topics.get(topicId)?.errorCode ?? errorOf(topicId)
    session.want(
      topicId,
      partitions.map(({ partitionIndex }) => partitionIndex),
      errorCode,
    )
  }
  if (session.isTooLarge) {
    sessions.forget(exchange.client, body)
    // As where a broker has no room for one more, and as where it has dropped one (SharePartitionManager.newContext).
    const isOpening = body.shareSessionEpoch === Epoch.initial
    return refuse(isOpening ? ErrorCode.SHARE_SESSION_LIMIT_REACHED : ErrorCode.SHARE_SESSION_NOT_FOUND)
  }
  const ruling = forwardAllowed(session, body, corrections)
  sessions.goesOn(session)
  return ruling
}

/** What the broker has to be told of topics whose decision is another one now. */
interface Corrections {
  readonly added: ShareFetchRequestFetchTopic[]
  readonly forgotten: ShareFetchRequestForgottenTopic[]
}

function review(session: ShareSession, topicIds: Iterable<string>, errorOf: ErrorOf): Corrections {
  const corrections: Corrections = { added: [], forgotten: [] }
  for (const topicId of topicIds) {
    const wanted = session.topics.get(topicId)
    if (wanted === undefined) continue
    const errorCode = errorOf(topicId)
    const before = wanted.errorCode
    wanted.errorCode = errorCode
    if (before !== 0 && errorCode === 0) corrections.added.push(asTopic(topicId, wanted.partitions))
    if (before === 0 && errorCode !== 0) corrections.forgotten.push({ topicId, partitions: [...wanted.partitions] })
  }
  return corrections
}

/** What is denied stays here; the broker hears nothing of it. */
function forwardAllowed(
  session: ShareSession,
  body: ShareFetchRequest,
  { added, forgotten }: Corrections,
): Ruling<ShareFetchResponse> {
  const isForwarded = ({ topicId }: { topicId: string }): boolean => session.topics.get(topicId)?.errorCode === 0
  const topics = splitDenied(body.topics, isForwarded)
  const forgets = splitDenied(body.forgottenTopicsData, isForwarded)
  const acknowledged = hasAcknowledgements(body) ? (topics?.denied ?? []) : []
  const unacknowledged = acknowledged.map(topic => [topic, session.topics.get(topic.topicId)?.errorCode ?? 0] as const)
  for (const { topicId, partitions } of body.forgottenTopicsData) session.forget(topicId, partitions)
  const isWhole = topics === undefined && forgets === undefined && added.length === 0 && forgotten.length === 0
  if (!isWhole) {
    // What the client lists comes last: of one partition, a broker takes the last acknowledgements.
    body.topics = [...added, ...(topics?.allowed ?? body.topics)]
    body.forgottenTopicsData = [...forgotten, ...(forgets?.allowed ?? body.forgottenTopicsData)]
  }
  const denials = new Denials()
  for (const [topicId, { errorCode, partitions }] of session.topics) {
    if (errorCode !== 0) for (const partition of partitions) denials.of(topicId, partition).errorCode = errorCode
  }
  for (const [topic, errorCode] of unacknowledged) denials.refuseAcknowledgements(topic, errorCode)
  if (denials.isEmpty) return isWhole ? whole : part()
  return isWhole ? wholeWith(denials.merge) : part(denials.merge)
}

/** The last request of a session only acknowledges. */
function forwardFinal({ body, errorOf }: Asked): Ruling<ShareFetchResponse> {
  const isAcknowledging = hasAcknowledgements(body)
  const denials = new Denials()
  const split = splitDenied(body.topics, topic => {
    const errorCode = errorOf(topic.topicId)
    if (errorCode !== 0 && isAcknowledging) denials.refuseAcknowledgements(topic, errorCode)
    return errorCode === 0
  })
  if (split === undefined && body.forgottenTopicsData.length === 0) return whole
  if (split !== undefined) body.topics = split.allowed
  body.forgottenTopicsData = []
  return part(denials.merge)
}

class Denials {
  readonly #topics = new Map<string, Map<number, ShareFetchResponsePartitionData>>()

  get isEmpty(): boolean {
    return this.#topics.size === 0
  }

  of(topicId: string, partitionIndex: number): ShareFetchResponsePartitionData {
    const partitions = this.#topics.get(topicId) ?? new Map<number, ShareFetchResponsePartitionData>()
    this.#topics.set(topicId, partitions)
    const partition = partitions.get(partitionIndex) ?? nothing(partitionIndex)
    partitions.set(partitionIndex, partition)
    return partition
  }

  refuseAcknowledgements({ topicId, partitions }: ShareFetchRequestFetchTopic, errorCode: number): void {
    for (const { partitionIndex } of partitions) this.of(topicId, partitionIndex).acknowledgeErrorCode = errorCode
  }

  /** An error of the whole stands alone, and so does being throttled. */
  readonly merge = ({ errorCode, throttleTimeMs, responses }: ShareFetchResponse): void => {
    if (errorCode !== 0 || (throttleTimeMs > 0 && responses.length === 0)) return
    for (const [topicId, partitions] of this.#topics) responses.push({ topicId, partitions: [...partitions.values()] })
  }
}

/** Whether an acknowledgement has been accepted stays known; what was fetched does not. */
function hideDenied({ responses }: ShareFetchResponse, judge: Judge, catalog: TopicCatalog): boolean {
  const errorOf = errors(judge, catalog)
  let isHiding = false
  for (const topic of responses) {
    const name = catalog.nameOf(topic.topicId)
    if (name !== undefined && judge.sees(topicRights.read, name)) continue
    const errorCode = errorOf(topic.topicId)
    topic.partitions = topic.partitions.map(({ partitionIndex, acknowledgeErrorCode, acknowledgeErrorMessage }) => ({
      ...nothing(partitionIndex),
      errorCode,
      acknowledgeErrorCode,
      acknowledgeErrorMessage,
    }))
    isHiding = true
  }
  return isHiding
}

function hasAcknowledgements({ topics }: ShareFetchRequest): boolean {
  return topics.some(({ partitions }) =>
    partitions.some(({ acknowledgementBatches }) => acknowledgementBatches.length > 0),
  )
}

function asTopic(topicId: string, partitions: Iterable<number>): ShareFetchRequestFetchTopic {
  const defaults = shareFetchRequestFetchPartitionDefaults()
  return { topicId, partitions: Array.from(partitions, partitionIndex => ({ ...defaults, partitionIndex })) }
}

/** ShareFetchResponse.partitionResponse. */
function nothing(partitionIndex: number): ShareFetchResponsePartitionData {
  return { ...shareFetchResponsePartitionDataDefaults(), partitionIndex, records: Span.empty }
}

function refuse(errorCode: number): Ruling<ShareFetchResponse> {
  return answer({ ...shareFetchResponseDefaults(), errorCode })
}
