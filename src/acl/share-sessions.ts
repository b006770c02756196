/**
 * Share sessions (KIP-932) as one client connection has them: as fetch sessions, with the group and the member for an
 * id. A share session names partitions without positions, so a decision that changes is put right inside the session:
 * the broker forgets what is denied from now on and is asked for what no longer is. Breaking the session off would lose
 * the acknowledgements on their way.
 */
import type { Client, Exchange } from '../pipeline/exchange.ts'
import { zeroUuid } from '../protocol/empty.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { type SessionRoom, sessionWeightMax, weightOf } from './session-room.ts'

interface WantedTopic {
  /** 0 where it is forwarded. */
  errorCode: number
  readonly partitions: Set<number>
}

/** Partitions that one session holds; a client that wants more has to open it anew. */
const partitionsMax = 100_000
/** Denied partitions come again with every answer of a session, and a request of a few bytes is enough to get one. */
const deniedMax = 10_000

export class ShareSession {
  /** Of the policy that decided. */
  generation: number
  /** Every topic that the client wants, by id. */
  readonly topics = new Map<string, WantedTopic>()
  /** The group and the member, in one. */
  key = ''
  #size = 0

  constructor(generation: number) {
    this.generation = generation
  }

  want(topicId: string, partitions: Iterable<number>, errorCode: number): void {
    const wanted = this.topics.get(topicId) ?? { errorCode, partitions: new Set<number>() }
    const before = wanted.partitions.size
    for (const partition of partitions) wanted.partitions.add(partition)
    this.#size += wanted.partitions.size - before
    // Kept without a partition it would count for nothing, and any number of them could be named.
    if (wanted.partitions.size > 0) this.topics.set(topicId, wanted)
  }

  forget(topicId: string, partitions: Iterable<number>): void {
    const wanted = this.topics.get(topicId)
    if (wanted === undefined) return
    for (const partition of partitions) if (wanted.partitions.delete(partition)) this.#size--
    if (wanted.partitions.size === 0) this.topics.delete(topicId)
  }

  get hasUnknownIds(): boolean {
    for (const { errorCode } of this.topics.values()) if (errorCode === ErrorCode.UNKNOWN_TOPIC_ID) return true
    return false
  }

  get isTooLarge(): boolean {
    return this.#size > partitionsMax || this.weight > sessionWeightMax || this.#deniedSize > deniedMax
  }

  get weight(): number {
    return weightOf(this.key, this.#size) + this.topics.size * weightOf(zeroUuid, 0)
  }

  /** Decisions change inside a session, so this is not kept. */
  get #deniedSize(): number {
    let size = 0
    for (const { errorCode, partitions } of this.topics.values()) if (errorCode !== 0) size += partitions.size
    return size
  }
}

/** Kafka's clients have one session on a connection. */
const sessionsMax = 8

export interface Member {
  readonly groupId: string | null
  readonly memberId: string | null
}

export class ShareSessions {
  readonly #byClient = new WeakMap<Client, Map<string, ShareSession>>()
  readonly #opening = new WeakMap<Exchange, ShareSession>()
  readonly #room: SessionRoom

  constructor(room: SessionRoom) {
    this.#room = room
  }

  find(client: Client, member: Member): ShareSession | undefined {
    return this.#byClient.get(client)?.get(keyOf(member))
  }

  forget(client: Client, member: Member): void {
    const session = this.find(client, member)
    if (session === undefined) return
    this.#byClient.get(client)?.delete(session.key)
    this.#room.leave(session)
  }

  /** It goes on, and may have become larger. */
  goesOn(session: ShareSession): void {
    this.#room.use(session)
  }

  /** What a first request asks for becomes a session where the broker's answer is no error. */
  willOpen(exchange: Exchange, session: ShareSession): void {
    this.#opening.set(exchange, session)
  }

  open(exchange: Exchange, member: Member): void {
    const session = this.#opening.get(exchange)
    if (session === undefined) return
    const { client } = exchange
    this.forget(client, member)
    session.key = keyOf(member)
    const sessions = this.#byClient.get(client) ?? new Map<string, ShareSession>()
    this.#byClient.set(client, sessions)
    sessions.set(session.key, session)
    for (const [key, oldest] of sessions) {
      if (sessions.size <= sessionsMax) break
      sessions.delete(key)
      this.#room.leave(oldest)
    }
    this.#room.enter(session, () => sessions.delete(session.key))
  }
}

function keyOf({ groupId, memberId }: Member): string {
  return `${groupId?.length} ${groupId} ${memberId}`
}
