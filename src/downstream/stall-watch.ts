/** Notices that a count which should grow does not. Asked at every sweep, so that the bytes themselves pay nothing. */
export class StallWatch {
  #count = Number.NaN
  #grewAtMs = 0

  /** Has `count` been the same for `timeoutMs`? Undefined where nothing has to grow. */
  isStuck(count: number | undefined, nowMs: number, timeoutMs: number): boolean {
    if (count === undefined || count !== this.#count) {
      this.#count = count ?? Number.NaN
      this.#grewAtMs = nowMs
    }
    return nowMs > this.#grewAtMs + timeoutMs
  }
}
