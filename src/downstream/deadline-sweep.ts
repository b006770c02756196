/** One timer for the deadlines of all sessions: thousands of sessions with five deadlines each need no timers of their own. */

export interface Expirable {
  /** Called every sweep; closes itself when a deadline has passed. */
  checkDeadlines(nowMs: number): void
}

const sweepMs = 250

export class DeadlineSweep {
  readonly #now: () => number
  readonly #watched = new Set<Expirable>()
  #timer: NodeJS.Timeout | undefined

  constructor(now: () => number) {
    this.#now = now
  }

  add(expirable: Expirable): void {
    this.#watched.add(expirable)
    this.#timer ??= setInterval(() => this.#sweep(), sweepMs)
  }

  remove(expirable: Expirable): void {
    this.#watched.delete(expirable)
    if (this.#watched.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #sweep(): void {
    const nowMs = this.#now()
    for (const expirable of this.#watched) expirable.checkDeadlines(nowMs)
  }
}
