/**
 * Which topic an id means. Ids are learnt from answers that pass and asked for where they are not known, with the
 * gateway's own identity; asking is done by who is passed in. A topic keeps its name and its id for life: an id that is
 * known never comes to mean another topic, and one that nobody knows means none.
 */
import { zeroUuid } from '../protocol/empty.ts'
import { ErrorCode } from '../protocol/error-code.ts'

export interface NamedTopic {
  readonly name: string
  readonly topicId: string
}

/** A topic as an answer tells it. */
export interface ToldTopic {
  readonly errorCode: number
  readonly name: string | null
  readonly topicId: string
}

/** A topic without a leader is one all the same. */
const isThere: ReadonlySet<number> = new Set([
  ErrorCode.NONE,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.REPLICA_NOT_AVAILABLE,
  ErrorCode.LISTENER_NOT_FOUND,
])

/**
 * The topics of an answer that exist. Beside any other error name and id only repeat the question: where all of it
 * fails, Kafka puts an empty name beside each id that was asked for (MetadataRequest.getErrorResponse).
 */
export function existingIn(topics: readonly ToldTopic[]): NamedTopic[] {
  return topics.flatMap(({ errorCode, name, topicId }) => (name && isThere.has(errorCode) ? [{ name, topicId }] : []))
}

/** Asks the cluster; rejects where no broker answers. */
export interface TopicQuestions {
  /** The topics among these that exist. */
  byId(ids: readonly string[]): Promise<readonly NamedTopic[]>
  byName(names: readonly string[]): Promise<readonly NamedTopic[]>
  all(): Promise<readonly NamedTopic[]>
}

export interface TopicCatalogOptions {
  readonly questions: TopicQuestions
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** How long an id is believed without hearing of it again. */
  readonly ttlMs?: number
  /** How long the cluster is not asked again for an id it did not know. */
  readonly unknownMs?: number
  /** Ids kept, and as many that are not known. */
  readonly idsMax?: number
  /** How old the list of names may be. */
  readonly namesMs?: number
  /** Unknown ids of one request that the cluster is asked for. */
  readonly askedMax?: number
}

interface Known {
  readonly name: string
  readonly untilMs: number
}

export class TopicCatalog {
  readonly #questions: TopicQuestions
  readonly #now: () => number
  readonly #ttlMs: number
  readonly #unknownMs: number
  readonly #idsMax: number
  readonly #byId = new Map<string, Known>()
  readonly #idOf = new Map<string, string>()
  readonly #unknown = new Map<string, number>()
  readonly #namesMs: number
  readonly #askedMax: number
  #names: readonly string[] | undefined
  #namesUntilMs = 0
  #namesAsked: Promise<readonly string[]> | undefined
  /** Ids that are being asked for, with the answer to come. */
  readonly #asked = new Map<string, Promise<void>>()

  constructor({
    questions,
    now,
    ttlMs = 300_000,
    unknownMs = 500,
    idsMax = 500_000,
    namesMs = 3000,
    askedMax = 10_000,
  }: TopicCatalogOptions) {
    this.#questions = questions
    this.#now = now
    this.#ttlMs = ttlMs
    this.#unknownMs = unknownMs
    this.#idsMax = idsMax
    this.#namesMs = namesMs
    this.#askedMax = askedMax
  }

  /** The name behind an id; undefined where it is not known, or no longer. */
  nameOf(topicId: string): string | undefined {
    const known = this.#byId.get(topicId)
    return known !== undefined && this.#now() < known.untilMs ? known.name : undefined
  }

  /** Every topic that was heard of and not forgotten. */
  names(): Iterable<string> {
    return this.#idOf.keys()
  }

  /** What an answer of the cluster says of topics and their ids, as it says it. */
  learn(topics: readonly ToldTopic[]): void {
    this.#keep(existingIn(topics).filter(({ topicId }) => topicId !== zeroUuid))
  }

  #keep(topics: readonly NamedTopic[]): void {
    const untilMs = this.#now() + this.#ttlMs
    for (const { name, topicId } of topics) {
      const before = this.#idOf.get(name)
      // Created anew under the same name: the old id must not stand for it.
      if (before !== undefined && before !== topicId) this.#byId.delete(before)
      this.#unknown.delete(topicId)
      this.#byId.set(topicId, { name, untilMs })
      this.#idOf.set(name, topicId)
    }
    this.#bound()
  }

  /**
   * Runs `then` once the catalogue knows what there is to know of the ids that a client names: at once where it does
   * already. What `nameOf` does not know then, the cluster does not know; or it is one of so many unknown ones that no
   * client learnt them from this cluster. Who did all the same is told that they are unknown, asks for the names, and
   * the answer is heard here.
   */
  whenKnown<T>(ids: readonly string[], then: () => T | Promise<T>): T | Promise<T> {
    const missing = this.#missing(ids)
    return missing.length === 0 ? then() : this.#ask(missing.slice(0, this.#askedMax)).then(then)
  }

  /** The same of the ids that a broker names: however many they are, they are there. */
  whenAllKnown<T>(ids: readonly string[], then: () => T | Promise<T>): T | Promise<T> {
    const missing = this.#missing(ids)
    return missing.length === 0 ? then() : this.#ask(missing).then(then)
  }

  /** The topics among these that exist now; never answered from memory. */
  async existing(names: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.#questions.byName(names)
    this.#keep(found)
    return new Set(found.map(({ name }) => name))
  }

  /** Every topic of the cluster; never answered from memory. */
  async all(): Promise<readonly NamedTopic[]> {
    const found = await this.#questions.all()
    this.#keep(found)
    return found
  }

  /**
   * The names of all topics, sorted, a few seconds old at most. The very same list is given for as long as it says the
   * same, so that what was worked out from it can be kept with it.
   */
  everyName(): readonly string[] | Promise<readonly string[]> {
    if (this.#names !== undefined && this.#now() < this.#namesUntilMs) return this.#names
    this.#namesAsked ??= this.#askNames().finally(() => {
      this.#namesAsked = undefined
    })
    return this.#namesAsked
  }

  async #askNames(): Promise<readonly string[]> {
    const found = (await this.all()).map(({ name }) => name).sort()
    const before = this.#names
    const isSame = before?.length === found.length && found.every((name, at) => name === before[at])
    this.#names = isSame ? before : Object.freeze(found)
    this.#namesUntilMs = this.#now() + this.#namesMs
    return this.#names
  }

  #missing(ids: readonly string[]): string[] {
    return [...new Set(ids)].filter(id => this.nameOf(id) === undefined && !this.#isUnknown(id))
  }

  #isUnknown(topicId: string): boolean {
    const untilMs = this.#unknown.get(topicId)
    return untilMs !== undefined && this.#now() < untilMs
  }

  async #ask(ids: readonly string[]): Promise<void> {
    const news = ids.filter(id => !this.#asked.has(id))
    if (news.length > 0) this.#startAsking(news)
    await Promise.all(ids.map(id => this.#asked.get(id)))
  }

  #startAsking(ids: readonly string[]): void {
    const answered = this.#questions.byId(ids).then(found => {
      this.#keep(found)
      const untilMs = this.#now() + this.#unknownMs
      for (const id of ids) if (this.nameOf(id) === undefined) this.#unknown.set(id, untilMs)
      this.#bound()
    })
    const done = answered.finally(() => {
      for (const id of ids) this.#asked.delete(id)
    })
    for (const id of ids) this.#asked.set(id, done)
    // Whoever waits hears of a failure; a second time it would be unhandled.
    done.catch(() => undefined)
  }

  /** The oldest go first. */
  #bound(): void {
    for (const [topicId, { name }] of this.#byId) {
      if (this.#byId.size <= this.#idsMax) break
      this.#byId.delete(topicId)
      if (this.#idOf.get(name) === topicId) this.#idOf.delete(name)
    }
    for (const topicId of this.#unknown.keys()) {
      if (this.#unknown.size <= this.#idsMax) break
      this.#unknown.delete(topicId)
    }
  }
}
