/**
 * First in, first out, in an array whose front moves: `shift` would move the rest each time. What was taken is
 * forgotten at once, for what is taken here may hold a frame of many megabytes.
 */

/** So many empty places before the first are worth a move of the rest. */
const emptyMax = 64

export class Queue<T extends object> {
  #items: (T | undefined)[] = []
  #from = 0

  get length(): number {
    return this.#items.length - this.#from
  }

  get first(): T | undefined {
    return this.#items[this.#from]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** Removes and returns the first. */
  take(): T | undefined {
    const first = this.first
    if (first === undefined) return undefined
    this.#items[this.#from++] = undefined
    if (this.#from === this.#items.length) this.#forget(this.#from)
    else if (this.#from >= emptyMax && this.#from >= this.length) this.#forget(this.#from)
    return first
  }

  /** Removes and returns all, in order. */
  takeAll(): T[] {
    const all = this.#items.slice(this.#from) as T[]
    this.#forget(this.#items.length)
    return all
  }

  #forget(count: number): void {
    this.#items.splice(0, count)
    this.#from = 0
  }
}
