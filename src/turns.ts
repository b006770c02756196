/** Who may begin: so many at once in all and of one key, and keys one after the other, so that none holds up the rest. */

export interface TurnsOptions {
  readonly atOnce: number
  readonly atOncePerKey: number
  /** More of one key are turned away. */
  readonly waitingPerKeyMax: number
}

interface Line {
  underWay: number
  readonly waiting: (() => void)[]
}

export class Turns {
  readonly #options: TurnsOptions
  readonly #lines = new Map<string, Line>()
  /** Keys that could begin now, were there room; the one that began longest ago comes first. */
  readonly #ready = new Set<string>()
  #underWay = 0

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** Keys that are remembered. */
  get keyCount(): number {
    return this.#lines.size
  }

  /** Resolves with what ends the turn, once it has come; undefined where too many of the key wait. */
  take(key: string): Promise<() => void> | undefined {
    const line = this.#lines.get(key) ?? { underWay: 0, waiting: [] }
    if (line.waiting.length >= this.#options.waitingPerKeyMax) return undefined
    this.#lines.set(key, line)
    return new Promise(resolve => {
      line.waiting.push(() => resolve(this.#turnOf(key, line)))
      this.#queue(key, line)
      this.#begin()
    })
  }

  #turnOf(key: string, line: Line): () => void {
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#underWay--
      line.underWay--
      if (line.underWay + line.waiting.length === 0) this.#lines.delete(key)
      this.#queue(key, line)
      this.#begin()
    }
  }

  #queue(key: string, { underWay, waiting }: Line): void {
    if (waiting.length > 0 && underWay < this.#options.atOncePerKey) this.#ready.add(key)
  }

  #begin(): void {
    for (const key of this.#ready) {
      if (this.#underWay >= this.#options.atOnce) return
      const line = this.#lines.get(key)!
      this.#ready.delete(key)
      this.#underWay++
      line.underWay++
      line.waiting.shift()!()
      this.#queue(key, line)
    }
  }
}
