/**
 * The room that the fetch and share sessions of all connections have together. A client keeps its sessions for as long as
 * it is connected, with names of its own choice; where there is no more room, the session that was not used for longest is
 * dropped, and its client hears that it is not found, as where a broker needs a slot
 * (max.incremental.fetch.session.cache.slots).
 */
import { LRUCache } from 'lru-cache'

export interface Session {
  /** About the bytes that it takes. */
  readonly weight: number
}

/** About what a topic, and one of its partitions, take beside the characters of the name. */
const topicBytes = 400
const partitionBytes = 40

export function weightOf(topic: string, partitions: number): number {
  return topicBytes + 2 * topic.length + partitionBytes * partitions
}

/** Of one session. Who wants more fetches without one. */
export const sessionWeightMax = 16 * 1_048_576
const roomWeightMax = 128 * 1_048_576

interface Place {
  readonly number: number
  readonly drop: () => void
  weight: number
}

export class SessionRoom {
  /** Sessions end with their connection, of which nobody tells the room: it does not hold them, and hears when they are gone. */
  readonly #sessions: LRUCache<number, WeakRef<Session>>
  readonly #places = new WeakMap<Session, Place>()
  readonly #gone: FinalizationRegistry<number>
  #last = 0

  constructor(weightMax = roomWeightMax) {
    this.#sessions = new LRUCache<number, WeakRef<Session>>({
      maxSize: weightMax,
      dispose: (ref, _, reason) => {
        const session = reason === 'evict' ? ref.deref() : undefined
        if (session === undefined) return
        this.#places.get(session)?.drop()
        this.#places.delete(session)
      },
    })
    this.#gone = new FinalizationRegistry(number => this.#sessions.delete(number))
  }

  /** Together. */
  get weight(): number {
    return this.#sessions.calculatedSize
  }

  /** `drop` makes its owner forget it. */
  enter(session: Session, drop: () => void): void {
    const place = { number: ++this.#last, drop, weight: 0 }
    this.#places.set(session, place)
    this.#gone.register(session, place.number)
    this.use(session)
  }

  /** Tells that a session was used, and may have become larger or smaller. */
  use(session: Session): void {
    const place = this.#places.get(session)
    if (place === undefined) return
    const { number } = place
    if (session.weight === place.weight && this.#sessions.get(number) !== undefined) return
    place.weight = session.weight
    this.#sessions.set(number, new WeakRef(session), { size: Math.max(1, session.weight) })
    if (this.#sessions.has(number)) return
    this.#places.delete(session)
    place.drop()
  }

  leave(session: Session): void {
    const place = this.#places.get(session)
    if (place === undefined) return
    this.#places.delete(session)
    this.#sessions.delete(place.number)
  }
}
