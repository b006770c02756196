const OTHER = 'other'

/** Counts by name with at most `namesMax` names; what comes after shares one. */
export class BoundedCounts {
  readonly #counts = new Map<string, number>()
  readonly #namesMax: number

  constructor(namesMax: number) {
    this.#namesMax = namesMax
  }

  add(name: string): void {
    const known = this.#counts.has(name) || this.#counts.size < this.#namesMax - 1
    const key = known ? name : OTHER
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  [Symbol.iterator](): IterableIterator<[string, number]> {
    return this.#counts.entries()
  }
}
