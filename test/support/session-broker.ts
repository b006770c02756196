/**
 * A broker's fetch sessions, as Kafka's FetchSession.scala and KafkaApis.handleFetchRequest have them, over logs that
 * are only numbers. It refuses nobody unless it is told to, never waits, and remembers every topic and every session
 * error.
 */
import { ErrorCode } from '../../src/protocol/error-code.ts'
import type { FetchRequest } from '../../src/protocol/generated/fetch-request.ts'
import {
  type FetchResponse,
  type FetchResponsePartitionData,
  fetchResponseDefaults,
  fetchResponsePartitionDataDefaults,
} from '../../src/protocol/generated/fetch-response.ts'
import { Span } from '../../src/wire/span.ts'

interface Cached {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  fetchOffset: bigint
  highWatermark: bigint
}

interface Session {
  readonly usesIds: boolean
  readonly partitions: Map<string, Cached>
  epoch: number
}

export class SessionBroker {
  /** Names of the topics that there are, by id. */
  readonly names: Map<string, string>
  /** End offsets by `topic-partition`. */
  readonly #ends = new Map<string, bigint>()
  readonly sessions = new Map<number, Session>()
  readonly sessionErrors: number[] = []
  /** Its cache of sessions is full. */
  isFull = false
  /** Topics that may not be read, by name. */
  readonly denied = new Set<string>()
  #ids = 0

  constructor(names: ReadonlyMap<string, string>) {
    this.names = new Map(names)
  }

  append(topic: string, partition: number): void {
    this.#ends.set(`${topic}-${partition}`, this.endOf(topic, partition) + 1n)
  }

  endOf(topic: string, partition: number): bigint {
    return this.#ends.get(`${topic}-${partition}`) ?? 0n
  }

  /** Everything that a request names. */
  namedIn({ topics, forgottenTopicsData }: FetchRequest, usesIds: boolean): string[] {
    return [...topics, ...forgottenTopicsData].map(({ topic, topicId }) =>
      usesIds ? (this.names.get(topicId) ?? topicId) : topic,
    )
  }

  answer(request: FetchRequest, usesIds: boolean): FetchResponse {
    const { sessionId, sessionEpoch } = request
    const listed = request.topics.flatMap(({ topic, topicId, partitions }) =>
      partitions.map(({ partition, fetchOffset }) => ({ topic, topicId, partition, fetchOffset, highWatermark: -1n })),
    )
    if (sessionEpoch === 0 || sessionEpoch === -1) {
      this.sessions.delete(sessionId)
      const isSession = sessionEpoch === 0 && !this.isFull
      return this.#respond(listed, isSession ? this.#open(listed, usesIds) : 0, usesIds, true)
    }
    const session = this.sessions.get(sessionId)
    if (session === undefined) return this.#error(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    if (session.epoch !== sessionEpoch) return this.#error(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    if (session.usesIds !== usesIds) return this.#error(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
    for (const asked of listed) {
      const cached = session.partitions.get(keyOf(asked))
      if (cached === undefined) session.partitions.set(keyOf(asked), asked)
      else cached.fetchOffset = asked.fetchOffset
    }
    for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
      for (const partition of partitions) session.partitions.delete(keyOf({ topic, topicId, partition }))
    }
    if (session.partitions.size === 0) {
      this.sessions.delete(sessionId)
      return this.#respond(listed, 0, usesIds, true)
    }
    session.epoch++
    return this.#respond([...session.partitions.values()], sessionId, usesIds, false)
  }

  #open(partitions: readonly Cached[], usesIds: boolean): number {
    const id = ++this.#ids
    this.sessions.set(id, { usesIds, epoch: 1, partitions: new Map(partitions.map(asked => [keyOf(asked), asked])) })
    return id
  }

  #error(errorCode: number): FetchResponse {
    this.sessionErrors.push(errorCode)
    return { ...fetchResponseDefaults(), errorCode }
  }

  #respond(partitions: readonly Cached[], sessionId: number, usesIds: boolean, isWhole: boolean): FetchResponse {
    const response = { ...fetchResponseDefaults(), sessionId }
    for (const cached of partitions) {
      const data = this.#read(cached, usesIds)
      if (!isWhole && data.errorCode === 0 && data.records === null && data.highWatermark === cached.highWatermark) {
        continue
      }
      cached.highWatermark = data.errorCode === 0 ? data.highWatermark : -1n
      const { topic, topicId } = cached
      response.responses.push({ topic, topicId, partitions: [data] })
    }
    return response
  }

  #read({ topic, topicId, partition, fetchOffset }: Cached, usesIds: boolean): FetchResponsePartitionData {
    const defaults = { ...fetchResponsePartitionDataDefaults(), partitionIndex: partition }
    const name = usesIds ? this.names.get(topicId) : topic
    if (name === undefined) return { ...defaults, errorCode: ErrorCode.UNKNOWN_TOPIC_ID, highWatermark: -1n }
    if (this.denied.has(name)) {
      return { ...defaults, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, highWatermark: -1n }
    }
    const highWatermark = this.endOf(name, partition)
    const records = fetchOffset < highWatermark ? Span.of(Buffer.from(`${name} ${highWatermark}`)) : null
    return { ...defaults, highWatermark, records }
  }
}

function keyOf({ topic, topicId, partition }: Pick<Cached, 'topic' | 'topicId' | 'partition'>): string {
  return `${topic} ${topicId} ${partition}`
}
