/**
 * Cuts a stream of received chunks into frames. Knows lengths and bounds, nothing of what a frame means, and opens no
 * socket: the owner pushes what it read and pulls complete frames, so that a paused owner holds at most one read.
 */
import { WireError } from '../errors.ts'
import { lengthPrefixBytes, type ReceivedFrame } from './frame.ts'

export interface FrameBounds {
  /** Smallest payload that can be a message: a header. */
  readonly payloadBytesMin: number
  readonly payloadBytesMax: number
}

/** Chunks smaller than this are gathered into one buffer: a byte a second must not cost an object a byte. */
const tinyChunkBytes = 512

export class FrameSplitter {
  #bounds: FrameBounds
  /** Received and not yet handed out, oldest first. */
  #chunks: Buffer[] = []
  #bufferedBytes = 0
  /** Bytes of the frame in progress, prefix included; 0 while the prefix is incomplete. */
  #frameBytes = 0

  constructor(bounds: FrameBounds) {
    this.#bounds = bounds
  }

  /** Bounds differ before and after authentication; they hold from the next prefix on. */
  set bounds(bounds: FrameBounds) {
    this.#bounds = bounds
  }

  /** Bytes received of a frame that is not complete, or of frames not yet pulled. */
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** Announced bytes of the frame in progress, prefix included; 0 where none is announced. */
  get announcedBytes(): number {
    return this.#frameBytes
  }

  /** Bytes that the announced frame still misses; 0 or less where it is complete, or none is announced. */
  get missingBytes(): number {
    return this.#frameBytes - this.#bufferedBytes
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#bufferedBytes += chunk.length
    const count = this.#chunks.length
    if (count === 0) {
      // Not by `push`, which makes room for sixteen more.
      this.#chunks = [chunk]
      return
    }
    const last = this.#chunks[count - 1] as Buffer
    if (last.length < tinyChunkBytes && chunk.length < tinyChunkBytes) this.#chunks[count - 1] = joined(last, chunk)
    else this.#chunks.push(chunk)
  }

  /** Moves what is here of the frame in progress to the beginning of `buffer`, as if none had come; answers its bytes. */
  moveInto(buffer: Buffer): number {
    let bytes = 0
    for (const chunk of this.#chunks) bytes += chunk.copy(buffer, bytes)
    this.#chunks = []
    this.#bufferedBytes = 0
    this.#frameBytes = 0
    return bytes
  }

  /**
   * The next complete frame, or undefined until more is pushed.
   * @throws WireError when a length prefix is out of bounds: the stream cannot be read on.
   */
  next(): ReceivedFrame | undefined {
    if (this.#frameBytes === 0) {
      if (this.#bufferedBytes < lengthPrefixBytes) return undefined
      this.#frameBytes = lengthPrefixBytes + this.#payloadBytes()
    }
    if (this.#bufferedBytes < this.#frameBytes) return undefined
    const byteLength = this.#frameBytes
    this.#frameBytes = 0
    return { chunks: this.#take(byteLength), byteLength, giveBack: undefined }
  }

  #payloadBytes(): number {
    const first = this.#chunks[0] as Buffer
    const prefix = first.length >= lengthPrefixBytes ? first : Buffer.concat(this.#chunks.slice(0, lengthPrefixBytes))
    const length = prefix.readInt32BE(0)
    const { payloadBytesMin, payloadBytesMax } = this.#bounds
    if (length < payloadBytesMin || length > payloadBytesMax) {
      throw new WireError('frame length out of bounds', { details: { length, payloadBytesMin, payloadBytesMax } })
    }
    return length
  }

  /** Removes `bytes` from the front; they are there. */
  #take(bytes: number): Buffer[] {
    this.#bufferedBytes -= bytes
    const chunks = this.#chunks
    const first = chunks[0] as Buffer
    // The common case: the frame is a part of one read.
    if (first.length > bytes) {
      chunks[0] = first.subarray(bytes)
      return [first.subarray(0, bytes)]
    }
    let count = 0
    let left = bytes
    while (left > 0 && (chunks[count] as Buffer).length <= left) {
      left -= (chunks[count] as Buffer).length
      count++
    }
    if (left === 0) {
      if (count === chunks.length) {
        this.#chunks = []
        return chunks
      }
      return chunks.splice(0, count)
    }
    const taken = chunks.splice(0, count)
    const cut = chunks[0] as Buffer
    taken.push(cut.subarray(0, left))
    chunks[0] = cut.subarray(left)
    return taken
  }
}

/** Without a copy where one lies behind the other, as reads into one buffer do. */
function joined(first: Buffer, second: Buffer): Buffer {
  const isBehind = first.buffer === second.buffer && first.byteOffset + first.length === second.byteOffset
  return isBehind
    ? Buffer.from(first.buffer, first.byteOffset, first.length + second.length)
    : Buffer.concat([first, second])
}
