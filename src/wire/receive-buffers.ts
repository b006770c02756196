/**
 * What a process receives bytes into, one socket's read after the other's.
 *
 * Reads go into one shared buffer and are copied out of it, so that a connection that waits holds nothing, and nothing is
 * taken from the system's heap for a read that turns out small. A large frame goes into slabs of its own instead,
 * which are received into again once it has left: they stay in the processor's cache, where memory that waits for the
 * next collection has long been driven out of it.
 */

// The global is looked up at each use.
import { Buffer } from 'node:buffer'

/** Of one read. */
const sharedBytes = 64 * 1024
/** The largest slab: longer frames lie in several. */
export const slabBytesMax = 256 * 1024
/** Slabs are whole numbers of these, so that frames of about one length use the same ones. */
const stepBytes = 16 * 1024
/** Kept for the next large frames, beside what `limits.bufferedBytes` counts. */
const idleBytesMax = 8 * 1024 * 1024
/** Slabs of frames that are not complete yet; when there are as many, frames are received by copying. */
const begunBytesMax = 32 * 1024 * 1024
/** Node's pool is for what is gone soon or small: a part of it keeps all of it. */
const pooledBytesMax = 512

export class ReceiveBuffers {
  readonly shared = Buffer.allocUnsafeSlow(sharedBytes)
  /** Of `shared`, by length: to make one costs more than to copy what is in it. */
  readonly #smallViews: Buffer[] = []
  /** The one given back last at the end. */
  readonly #idle: Buffer[] = []
  #idleBytes = 0
  #begunBytes = 0

  get idleBytes(): number {
    return this.#idleBytes
  }

  get begunBytes(): number {
    return this.#begunBytes
  }

  /** What was received into the first `bytes` of `shared`. */
  copyOfShared(bytes: number): Buffer {
    if (bytes < pooledBytesMax) return Buffer.from(this.#smallView(bytes))
    const copy = Buffer.allocUnsafeSlow(bytes)
    this.shared.copy(copy, 0, 0, bytes)
    return copy
  }

  /**
   * A buffer of at least `bytes`, at most `slabBytesMax`, that is the taker's alone; with what somebody received before
   * still in it. Undefined where too many are begun. `complete` follows, and once nobody looks at it `giveBack` may.
   */
  begin(bytes: number): Buffer | undefined {
    const length = Math.ceil(bytes / stepBytes) * stepBytes
    if (this.#begunBytes + length > begunBytesMax) return undefined
    this.#begunBytes += length
    return this.#takeIdle(length) ?? Buffer.allocUnsafeSlow(length)
  }

  /** The frame that it was begun for is here, or will never be. */
  complete(slab: Buffer): void {
    this.#begunBytes -= slab.length
  }

  /** Who gives a slab back looks at it no more. One that is not given back is collected like any other buffer. */
  giveBack(slab: Buffer): void {
    if (this.#idle.includes(slab)) throw new Error('a slab was given back twice')
    this.#idle.push(slab)
    this.#idleBytes += slab.length
    // The oldest go: their lengths are asked for no more.
    while (this.#idleBytes > idleBytesMax) this.#idleBytes -= this.#idle.shift()!.length
  }

  #smallView(bytes: number): Buffer {
    const known = this.#smallViews[bytes]
    if (known !== undefined) return known
    const view = this.shared.subarray(0, bytes)
    this.#smallViews[bytes] = view
    return view
  }

  /** The last of that length, which is the one most likely still in the cache. */
  #takeIdle(length: number): Buffer | undefined {
    const at = this.#idle.findLastIndex(slab => slab.length === length)
    if (at === -1) return undefined
    this.#idleBytes -= length
    return at === this.#idle.length - 1 ? this.#idle.pop() : this.#idle.splice(at, 1)[0]
  }
}
