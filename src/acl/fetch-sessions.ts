/**
 * Fetch sessions (KIP-227) as one client connection has them. A client names its partitions once, in a full request;
 * the broker remembers them under an id of its own making, and from then on both only tell each other what is new: an
 * incremental request may name nothing at all and is still answered with records. Requests in a session are numbered,
 * and an error ends it: the client closes it by sending its id with number 0, and opens another.
 *
 * The broker's session holds what was forwarded. What the client believes to be in it and was denied is only here. A
 * decision that turns out different later cannot be put right inside a session, so the session is broken off.
 */
import type { Client, Exchange } from '../pipeline/exchange.ts'
import { ErrorCode } from '../protocol/error-code.ts'

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

/** Partitions that requests may add to a session before the client has to open a new one. */
const addedMax = 100_000

export class FetchSession {
  /** Topics are ids from version 13 on, names before. A session has one kind. */
  readonly usesIds: boolean
  /** Of the policy that decided. */
  generation: number
  /** Nothing but its end is forwarded any more. */
  isBroken = false
  /** Every topic that the client wants. */
  readonly #topics = new Map<string, WantedTopic>()
  readonly #withError = new Map<number, number>()
  #size = 0
  #sizeMax = addedMax

  constructor(usesIds: boolean, generation: number) {
    this.usesIds = usesIds
    this.generation = generation
  }

  want(topic: string, partitions: readonly { readonly partition: number }[], errorCode: number): void {
    let wanted = this.#topics.get(topic)
    if (wanted === undefined) {
      wanted = { errorCode, partitions: new Set() }
      this.#topics.set(topic, wanted)
      this.#count(errorCode, 1)
    }
    const before = wanted.partitions.size
    for (const { partition } of partitions) wanted.partitions.add(partition)
    this.#size += wanted.partitions.size - before
  }

  forget(topic: string, partitions: readonly number[]): void {
    const wanted = this.#topics.get(topic)
    if (wanted === undefined) return
    for (const partition of partitions) if (wanted.partitions.delete(partition)) this.#size--
    if (wanted.partitions.size > 0) return
    this.#topics.delete(topic)
    this.#count(wanted.errorCode, -1)
  }

  /** What is decided on a topic, 0 where it is forwarded; undefined where it is not in the session. */
  errorOf(topic: string): number | undefined {
    return this.#topics.get(topic)?.errorCode
  }

  topics(): Iterable<string> {
    return this.#topics.keys()
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
    return this.#size > this.#sizeMax
  }

  opened(): void {
    this.#sizeMax = this.#size + addedMax
  }

  #count(errorCode: number, by: 1 | -1): void {
    this.#withError.set(errorCode, (this.#withError.get(errorCode) ?? 0) + by)
  }
}

/** Kafka's clients have one session on a connection. */
const sessionsMax = 8

export class FetchSessions {
  readonly #byClient = new WeakMap<Client, Map<number, FetchSession>>()
  readonly #opening = new WeakMap<Exchange, FetchSession>()

  /** A session of this connection; an id that another connection was given finds nothing. */
  find(client: Client, id: number): FetchSession | undefined {
    return this.#byClient.get(client)?.get(id)
  }

  forget(client: Client, id: number): boolean {
    return this.#byClient.get(client)?.delete(id) ?? false
  }

  /** What a full request asks for becomes a session where the broker's answer gives it an id. */
  willOpen(exchange: Exchange, session: FetchSession): void {
    this.#opening.set(exchange, session)
  }

  open(exchange: Exchange, id: number): FetchSession | undefined {
    const session = this.#opening.get(exchange)
    if (session === undefined) return undefined
    const sessions = this.#byClient.get(exchange.client) ?? new Map<number, FetchSession>()
    this.#byClient.set(exchange.client, sessions)
    sessions.set(id, session)
    session.opened()
    // The oldest is forgotten: the client hears that it is not found, as when a broker needs the room.
    for (const oldest of sessions.keys()) {
      if (sessions.size <= sessionsMax) break
      sessions.delete(oldest)
    }
    return session
  }
}
