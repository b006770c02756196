/**
 * Frames on their way out of one connection, with back-pressure. How chunks are handed to the system differs: TCP takes
 * many in one call and copies none; TLS copies everything written together into one buffer first, so that large
 * chunks go one at a time and only small ones together.
 */
import type { Writable } from 'node:stream'
import type { Reservation } from './byte-budget.ts'

/** Handed to the stream together before its 'drain' is awaited. */
const sliceBytes = 256 * 1024
/** On TLS: from this size on a chunk goes alone. */
const aloneBytes = 4 * 1024

interface QueuedFrame {
  readonly chunks: readonly Buffer[]
  nextChunk: number
  bytesLeft: number
  readonly held: Reservation | undefined
}

export class Outbound {
  readonly #stream: Writable
  readonly #encrypts: boolean
  readonly #onDrained: () => void
  /** Frames not handed to the stream, or only in part. */
  readonly #queue: QueuedFrame[] = []
  #queuedBytes = 0
  #sentBytes = 0
  #isFull = false
  #isGathering = false
  #isEnding = false
  #isAbandoned = false
  /** What frames hold whose last byte the stream has and the system has not. */
  readonly #leaving: Reservation[] = []
  readonly #firstHasLeft = (error?: Error | null): void => {
    if (!error) this.#leaving.shift()?.left()
  }

  /** `onDrained` is called when the outbound was full, has room again, and no frame waits in its queue. */
  constructor(
    stream: Writable,
    { encrypts, onDrained }: { readonly encrypts: boolean; readonly onDrained: () => void },
  ) {
    this.#stream = stream
    this.#encrypts = encrypts
    this.#onDrained = onDrained
    stream.on('drain', () => this.#drained())
  }

  /** Bytes that the system has not taken yet, in this queue and in the stream. */
  get pendingBytes(): number {
    return this.#queuedBytes + this.#stream.writableLength
  }

  /** Bytes that the system has taken, noticed write by write: a slice at a time. */
  get takenBytes(): number {
    return this.#sentBytes - this.pendingBytes
  }

  /** `takenBytes` while some are pending; undefined while there is nothing to take. */
  get progress(): number | undefined {
    return this.pendingBytes === 0 ? undefined : this.takenBytes
  }

  /** True from a full slice until the stream has drained. */
  get isFull(): boolean {
    return this.#isFull
  }

  /**
   * Sends a frame after those before it; what it holds is released once the system has taken its last byte. After the
   * end there is nobody to send to: the frame is dropped.
   */
  send(chunks: readonly Buffer[], byteLength: number, held?: Reservation): void {
    if (this.#isEnding || this.#isAbandoned) return held?.release()
    const frame: QueuedFrame = { chunks, nextChunk: 0, bytesLeft: byteLength, held }
    this.#sentBytes += byteLength
    if (!this.#isFull) this.#write(frame)
    if (frame.bytesLeft === 0) return
    this.#queue.push(frame)
    this.#queuedBytes += frame.bytesLeft
  }

  /** Ends the stream after everything that was sent. */
  end(): void {
    this.#isEnding = true
    if (!this.#isFull) this.#stream.end()
  }

  /** The stream is gone: gives back what unsent frames hold. */
  abandon(): void {
    this.#isAbandoned = true
    for (const held of this.#leaving.splice(0)) held.release()
    for (const frame of this.#queue.splice(0)) frame.held?.release()
    this.#queuedBytes = 0
  }

  /** Writes chunks of the frame until it ends or the stream is full; together where that is cheaper. */
  #write(frame: QueuedFrame): void {
    if (this.#isGathering || frame.chunks.length - frame.nextChunk === 1) return this.#writeChunks(frame)
    if (this.#encrypts) {
      this.gather()
      return this.#writeChunks(frame)
    }
    // In one call, and now: a tick of its own for every frame costs more than it could gather.
    this.#stream.cork()
    this.#writeChunks(frame)
    this.#stream.uncork()
  }

  #writeChunks(frame: QueuedFrame): void {
    const stream = this.#stream
    while (frame.bytesLeft > 0) {
      const chunk = frame.chunks[frame.nextChunk] as Buffer
      if (!this.#hasRoomFor(chunk)) {
        this.#isFull = true
        return
      }
      frame.nextChunk++
      frame.bytesLeft -= chunk.length
      if (frame.bytesLeft > 0 || frame.held === undefined) {
        stream.write(chunk)
      } else {
        this.#leaving.push(frame.held)
        stream.write(chunk, this.#firstHasLeft)
      }
    }
    // A chunk larger than a slice: who waits for room must be told when there is some.
    if (stream.writableLength >= sliceBytes) this.#isFull = true
  }

  #hasRoomFor(chunk: Buffer): boolean {
    const stream = this.#stream
    if (this.#encrypts && chunk.length >= aloneBytes) {
      this.#flush()
      // Not `writableLength > 0`: a stream that holds less than its high-water mark emits no 'drain'.
      return !stream.writableNeedDrain
    }
    return stream.writableLength < sliceBytes
  }

  /** More follows in this turn of the event loop: all of it leaves in one write. */
  gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    this.#stream.cork()
    process.nextTick(this.#flush)
  }

  readonly #flush = (): void => {
    if (!this.#isGathering) return
    this.#isGathering = false
    this.#stream.uncork()
  }

  #drained(): void {
    if (!this.#isFull) return
    this.#isFull = false
    if (this.#queue.length > 1) this.gather()
    while (this.#queue.length > 0 && !this.#isFull) {
      const frame = this.#queue[0] as QueuedFrame
      const before = frame.bytesLeft
      this.#write(frame)
      this.#queuedBytes -= before - frame.bytesLeft
      if (frame.bytesLeft === 0) this.#queue.shift()
    }
    if (this.#isFull) return
    this.#flush()
    if (this.#isEnding) this.#stream.end()
    this.#onDrained()
  }
}
