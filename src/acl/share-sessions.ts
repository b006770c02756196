/**
 * Share sessions (KIP-932) as one client connection has them: as fetch sessions, with the group and the member for an
 * id. A share session names partitions without positions, so a decision that changes is put right inside the session:
 * the broker forgets what is denied from now on and is asked for what no longer is. Breaking the session off would lose
 * the acknowledgements on their way.
 */
import type { Client, Exchange } from '../pipeline/exchange.ts'
import { ErrorCode } from '../protocol/error-code.ts'

interface WantedTopic {
  /** 0 where it is forwarded. */
  errorCode: number
  readonly partitions: Set<number>
}

/** Partitions that one session holds; a client that wants more has to open it anew. */
const partitionsMax = 100_000

export class ShareSession {
  /** Of the policy that decided. */
  generation: number
  /** Every topic that the client wants, by id. */
  readonly topics = new Map<string, WantedTopic>()
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
    return this.#size > partitionsMax
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

  find(client: Client, member: Member): ShareSession | undefined {
    return this.#byClient.get(client)?.get(keyOf(member))
  }

  forget(client: Client, member: Member): void {
    this.#byClient.get(client)?.delete(keyOf(member))
  }

  /** What a first request asks for becomes a session where the broker's answer is no error. */
  willOpen(exchange: Exchange, session: ShareSession): void {
    this.#opening.set(exchange, session)
  }

  open(exchange: Exchange, member: Member): void {
    const session = this.#opening.get(exchange)
    if (session === undefined) return
    const sessions = this.#byClient.get(exchange.client) ?? new Map<string, ShareSession>()
    this.#byClient.set(exchange.client, sessions)
    sessions.set(keyOf(member), session)
    for (const oldest of sessions.keys()) {
      if (sessions.size <= sessionsMax) break
      sessions.delete(oldest)
    }
  }
}

function keyOf({ groupId, memberId }: Member): string {
  return `${groupId?.length} ${groupId} ${memberId}`
}
