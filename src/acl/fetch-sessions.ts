/**
 * Fetch sessions (KIP-227) as one client connection has them. A client names its partitions once, in a full request;
 * the broker remembers them under an id of its own making, and from then on both only tell each other what is new: an
 * incremental request may name nothing at all and is still answered with records. Requests in a session are numbered;
 * a session without partitions is closed.
 *
 * What the client believes to be in its session and was denied is only here; the broker's session holds the rest. Both
 * have the same id and the same number, and requests pass as they came, until one side's session is without partitions
 * while the other's is not:
 *
 *   all of it denied            the session is here alone, and its requests are answered here
 *   something allowed added     the broker opens one, with an id and numbers of its own
 *   nothing allowed left        the broker closes its own
 *
 * A decision that turns out different later cannot be put right inside a session, so the session is broken off: the
 * client closes it by sending its id with number 0, and opens another.
 */
import type { Client, Exchange } from '../pipeline/exchange.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { type SessionRoom, sessionWeightMax, weightOf } from './session-room.ts'

/** What the broker has of a session, and which number it expects next. */
export interface BrokerSession {
  readonly id: number
  epoch: number
}

interface WantedTopic {
  /** 0 where it is forwarded. */
  readonly errorCode: number
  readonly partitions: Set<number>
}

export interface DeniedTopic {
  readonly topic: string
  readonly errorCode: number
  readonly partitions: Iterable<number>
}

/** FetchMetadata.nextEpoch */
const epochMax = 2 ** 31 - 1
export const epochAfter = (epoch: number): number => (epoch === epochMax ? 1 : epoch + 1)

/** Partitions that requests may add to a session before the client has to open a new one. */
const addedMax = 100_000
/** Denied partitions come again with every answer of a session, and a request of a few bytes is enough to get one. */
const deniedMax = 10_000

export class FetchSession {
  /** Topics are ids from version 13 on, names before. A session has one kind. */
  readonly usesIds: boolean
  /** What the client knows it by; 0 until it has one. */
  id = 0
  /** The number that the client's next request has. */
  epoch = 1
  broker: BrokerSession | undefined
  /** The broker was asked to open its own and has not answered yet. */
  isOpening = false
  /** Of the policy that decided. */
  generation: number
  #isBroken = false
  /** Every topic that the client wants. */
  readonly #topics = new Map<string, WantedTopic>()
  readonly #withError = new Map<number, number>()
  #size = 0
  #sizeMax = addedMax
  #deniedSize = 0
  #weight = 0

  constructor(usesIds: boolean, generation: number) {
    this.usesIds = usesIds
    this.generation = generation
  }

  /** A topic without a partition is none: kept, it would count for nothing, and any number of them could be named. */
  want(topic: string, partitions: readonly { readonly partition: number }[], errorCode: number): void {
    if (partitions.length === 0) return
    let wanted = this.#topics.get(topic)
    if (wanted === undefined) {
      wanted = { errorCode, partitions: new Set() }
      this.#topics.set(topic, wanted)
      this.#count(errorCode, 1)
      this.#weight += weightOf(topic, 0)
    }
    const before = wanted.partitions.size
    for (const { partition } of partitions) wanted.partitions.add(partition)
    this.#grow(wanted, wanted.partitions.size - before)
  }

  forget(topic: string, partitions: readonly number[]): void {
    const wanted = this.#topics.get(topic)
    if (wanted === undefined) return
    const before = wanted.partitions.size
    for (const partition of partitions) wanted.partitions.delete(partition)
    this.#grow(wanted, wanted.partitions.size - before)
    if (wanted.partitions.size > 0) return
    this.#topics.delete(topic)
    this.#count(wanted.errorCode, -1)
    this.#weight -= weightOf(topic, 0)
  }

  /** What is decided on a topic, 0 where it is forwarded; undefined where it is not in the session. */
  errorOf(topic: string): number | undefined {
    return this.#topics.get(topic)?.errorCode
  }

  topics(): Iterable<string> {
    return this.#topics.keys()
  }

  has(topic: string, partition: number): boolean {
    return this.#topics.get(topic)?.partitions.has(partition) ?? false
  }

  get isEmpty(): boolean {
    return this.#topics.size === 0
  }

  /** Whether nothing of it is the broker's. */
  get isAllDenied(): boolean {
    return (this.#withError.get(0) ?? 0) === 0
  }

  denied(): DeniedTopic[] {
    if ((this.#withError.get(0) ?? 0) === this.#topics.size) return []
    return Array.from(this.#topics, ([topic, wanted]) => ({ topic, ...wanted })).filter(
      ({ errorCode }) => errorCode !== 0,
    )
  }

  /** Ids that nobody knew, and that may have come to mean something. */
  get hasUnknownIds(): boolean {
    return (this.#withError.get(ErrorCode.UNKNOWN_TOPIC_ID) ?? 0) > 0
  }

  /** The bound is on what is added: what the first request names is bounded by its frame. */
  get isTooLarge(): boolean {
    return this.#size > this.#sizeMax || this.opensNowhere
  }

  /** Larger than any that is kept here, as where a broker has no room for one: the client lists everything each time. */
  get opensNowhere(): boolean {
    return this.#deniedSize > deniedMax || this.weight > sessionWeightMax
  }

  get weight(): number {
    return this.#weight + weightOf('', this.#size)
  }

  /** Nothing but its end is forwarded any more, for which it needs no topics. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  break(): void {
    this.#isBroken = true
    this.#topics.clear()
    this.#withError.clear()
    this.#size = 0
    this.#deniedSize = 0
    this.#weight = 0
  }

  opened(): void {
    this.#sizeMax = this.#size + addedMax
  }

  #grow({ errorCode }: WantedTopic, by: number): void {
    this.#size += by
    if (errorCode !== 0) this.#deniedSize += by
  }

  #count(errorCode: number, by: 1 | -1): void {
    this.#withError.set(errorCode, (this.#withError.get(errorCode) ?? 0) + by)
  }
}

/** What the broker's session goes through by a request that is forwarded. */
export type BrokerStep = 'opens' | 'continues' | 'ends'

export interface Underway {
  readonly session: FetchSession
  readonly broker: BrokerStep
}

/** Kafka's clients have one session on a connection. */
const sessionsMax = 8

export class FetchSessions {
  readonly #byClient = new WeakMap<Client, Map<number, FetchSession>>()
  readonly #underway = new WeakMap<Exchange, Underway>()
  readonly #room: SessionRoom

  constructor(room: SessionRoom) {
    this.#room = room
  }

  /** A session of this connection; an id that another connection was given finds nothing. */
  find(client: Client, id: number): FetchSession | undefined {
    return this.#byClient.get(client)?.get(id)
  }

  forget(client: Client, session: FetchSession): void {
    this.#byClient.get(client)?.delete(session.id)
    this.#room.leave(session)
  }

  /** It goes on, and may have become larger. */
  goesOn(session: FetchSession): void {
    this.#room.use(session)
  }

  /** What the answer to this request is about. */
  expect(exchange: Exchange, underway: Underway): void {
    this.#underway.set(exchange, underway)
  }

  expected(exchange: Exchange): Underway | undefined {
    return this.#underway.get(exchange)
  }

  /** Under the broker's id where there is one and it is free. Ids mean nothing on other connections. */
  add(client: Client, session: FetchSession): void {
    const sessions = this.#byClient.get(client) ?? new Map<number, FetchSession>()
    this.#byClient.set(client, sessions)
    session.id = session.broker?.id ?? 1
    while (sessions.has(session.id)) session.id = epochAfter(session.id)
    sessions.set(session.id, session)
    session.opened()
    // The oldest is forgotten: the client hears that it is not found, as when a broker needs the room.
    for (const oldest of sessions.values()) {
      if (sessions.size <= sessionsMax) break
      this.forget(client, oldest)
    }
    this.#room.enter(session, () => sessions.delete(session.id))
  }
}
