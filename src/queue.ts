/**
 * First in, first out, in an array whose front moves: `shift` would move the rest each time. What was taken is
 * forgotten at once, for what is taken here may hold a frame of many megabytes.
 */

/** So many empty places before the first are worth a move of the rest, and so many are kept when all are empty. */
const emptyMax = 64

export class Queue<T extends object> {
  #items: (T | undefined)[] = []
  #from = 0
  #to = 0

  get length(): number {
    return this.#to - this.#from
  }

  get first(): T | undefined {
    return this.#items[this.#from]
  }

  push(item: T): void {
    this.#items[this.#to++] = item
  }

  /** Removes and returns the first. */
  take(): T | undefined {
    if (this.#from === this.#to) return undefined
    const first = this.#items[this.#from]
    this.#items[this.#from++] = undefined
    if (this.#from === this.#to) this.#restart()
    else if (this.#from >= emptyMax && this.#from >= this.length) this.#forget(this.#from)
    return first
  }

  /** Removes and returns all, in order. */
  takeAll(): T[] {
    const all = this.#items.slice(this.#from, this.#to) as T[]
    this.#forget(this.#items.length)
    return all
  }

  /** All places are empty: those at hand are filled again, so that a queue that is emptied each time allocates nothing. */
  #restart(): void {
    if (this.#items.length > emptyMax) this.#items = []
    this.#from = 0
    this.#to = 0
  }

  #forget(count: number): void {
    this.#items.splice(0, count)
    this.#from = 0
    this.#to = this.#items.length
  }
}
