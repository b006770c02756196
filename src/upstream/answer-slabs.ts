/**
 * Which answers are received into slabs: those that the budget has room for, part by part, each part a whole slab, so that
 * the answer's own reservation counts them.
 */
import { type ReceiveBuffers, slabBytesMax } from '../wire/receive-buffers.ts'
import type { Slabs } from '../wire/socket-reads.ts'

export class AnswerSlabs implements Slabs {
  readonly #buffers: ReceiveBuffers
  readonly #missingBytes: () => number
  /** Those of the answer in progress, and what the last of them has left. */
  #slabs: Buffer[] = []
  #rest: Buffer | undefined
  #hasEnded = false

  /** `missingBytes`: of the answer in progress; 0 or less where none is announced or none may be gone on with. */
  constructor(buffers: ReceiveBuffers, missingBytes: () => number) {
    this.#buffers = buffers
    this.#missingBytes = missingBytes
  }

  target(): Buffer | undefined {
    const missingBytes = this.#missingBytes()
    if (missingBytes <= 0 || this.#hasEnded) return undefined
    if (this.#rest === undefined && missingBytes >= slabBytesMax) {
      this.#rest = this.#buffers.begin(slabBytesMax)
      if (this.#rest !== undefined) this.#slabs.push(this.#rest)
    }
    if (this.#rest === undefined) return undefined
    // Never beyond the answer: what follows it is another's.
    return missingBytes < this.#rest.length ? this.#rest.subarray(0, missingBytes) : this.#rest
  }

  filled(bytes: number): Buffer {
    const rest = this.#rest as Buffer
    this.#rest = bytes === rest.length ? undefined : rest.subarray(bytes)
    return rest.subarray(0, bytes)
  }

  takes(): boolean {
    return false
  }

  frameEnded(): (() => void) | undefined {
    if (this.#slabs.length === 0) return undefined
    const slabs = this.#completed()
    return () => {
      for (const slab of slabs) this.#buffers.giveBack(slab)
    }
  }

  end(): void {
    this.#hasEnded = true
    this.#completed()
  }

  #completed(): readonly Buffer[] {
    const slabs = this.#slabs
    this.#slabs = []
    this.#rest = undefined
    for (const slab of slabs) this.#buffers.complete(slab)
    return slabs
  }
}
