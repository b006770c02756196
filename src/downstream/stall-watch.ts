/** Notices that a count which should grow does not. Asked at every sweep, so that the bytes themselves pay nothing. */
export class StallWatch {
  readonly #read: () => number | undefined
  #count = Number.NaN
  #grewAtMs = 0

  /** `read` gives the count; undefined where nothing has to grow. */
  constructor(read: () => number | undefined) {
    this.#read = read
  }

  /** Has the count been the same for `timeoutMs`? */
  isStuck(nowMs: number, timeoutMs: number): boolean {
    const count = this.#read()
    if (count === undefined || count !== this.#count) {
      this.#count = count ?? Number.NaN
      this.#grewAtMs = nowMs
    }
    return nowMs > this.#grewAtMs + timeoutMs
  }
}
