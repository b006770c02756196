/**
 * What a process receives brokers' bytes into, one socket's read after the other's.
 *
 * Reads go into one shared buffer and are copied out of it, so that a connection that waits holds nothing, and nothing is
 * taken from the system's heap for a read that turns out small. A large answer goes into slabs of its own instead,
 * which are received into again once it has left: they stay in the processor's cache, where memory that waits for the
 * next collection has long been driven out of it.
 */

/** Of one read. */
const sharedBytes = 64 * 1024
export const slabBytes = 256 * 1024
/** Kept for the next large answers; 8 MiB, beside what `limits.bufferedBytes` counts. */
const idleSlabsMax = 32

export class ReceiveBuffers {
  readonly shared = Buffer.allocUnsafeSlow(sharedBytes)
  readonly #idle = new Set<Buffer>()

  get idleCount(): number {
    return this.#idle.size
  }

  /** A buffer of `slabBytes` that is the taker's alone; with what somebody received before still in it. */
  takeSlab(): Buffer {
    for (const slab of this.#idle) {
      this.#idle.delete(slab)
      return slab
    }
    return Buffer.allocUnsafeSlow(slabBytes)
  }

  /** Who gives a slab back looks at it no more. One that is not given back is collected like any other buffer. */
  giveBack(slab: Buffer): void {
    if (this.#idle.has(slab)) throw new Error('a slab was given back twice')
    if (this.#idle.size < idleSlabsMax) this.#idle.add(slab)
  }
}
