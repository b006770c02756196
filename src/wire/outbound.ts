/**
 * Frames on their way out of one connection, with back-pressure. One write is with the system at a time; what comes in the
 * meantime leaves together. How much together differs: TCP takes many chunks in one call and copies none; TLS copies
 * everything written together into one buffer first, so that large chunks go alone and only small ones together.
 */
import type { Writable } from 'node:stream'
import { Queue } from '../queue.ts'
import type { Reservation } from './byte-budget.ts'
import { type Outgoing, writeTo } from './outgoing.ts'

/** In one write; one chunk that is larger goes all the same. */
const sliceBytes = 256 * 1024
/** On TLS: from this size on a chunk goes alone. */
const aloneBytes = 4 * 1024

interface QueuedFrame {
  readonly chunks: readonly Buffer[]
  readonly held: Reservation | undefined
  /** Not handed over. */
  bytesLeft: number
  nextChunk: number
}

export class Outbound {
  readonly #outgoing: Outgoing
  readonly #encrypts: boolean
  readonly #onDrained: () => void
  /** Frames that were not handed over, or only in part. */
  readonly #queue = new Queue<QueuedFrame>()
  /** Of the write that is with the system; 0 where none is. */
  #leavingBytes = 0
  /** What frames hold whose last byte is in that write. */
  readonly #leaving: Reservation[] = []
  #pendingBytes = 0
  #sentBytes = 0
  #isFull = false
  #isGathering = false
  #isEnding = false
  #isAbandoned = false

  /** `onDrained` is called when the outbound was full, has room again, and no frame waits in its queue. */
  constructor(
    stream: Writable,
    { encrypts, onDrained }: { readonly encrypts: boolean; readonly onDrained: () => void },
  ) {
    this.#outgoing = writeTo(stream, () => this.#wasTaken())
    this.#encrypts = encrypts
    this.#onDrained = onDrained
  }

  /** Bytes that the system has not taken yet. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Bytes that the system has taken, noticed write by write: a slice at a time. */
  get takenBytes(): number {
    return this.#sentBytes - this.#pendingBytes
  }

  /** `takenBytes` while some are pending; undefined while there is nothing to take. */
  get progress(): number | undefined {
    return this.#pendingBytes === 0 ? undefined : this.takenBytes
  }

  /** True from a full slice until no frame waits. */
  get isFull(): boolean {
    return this.#isFull
  }

  /**
   * Sends a frame after those before it; what it holds is released once the system has taken its last byte. After the
   * end there is nobody to send to: the frame is dropped.
   */
  send(chunks: readonly Buffer[], byteLength: number, held?: Reservation): void {
    if (this.#isEnding || this.#isAbandoned) return held?.release()
    this.#sentBytes += byteLength
    this.#pendingBytes += byteLength
    this.#queue.push({ chunks, held, bytesLeft: byteLength, nextChunk: 0 })
    this.#write()
    if (this.#pendingBytes >= sliceBytes) this.#isFull = true
  }

  /** More follows in this turn of the event loop: all of it leaves together. */
  gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    process.nextTick(this.#gathered)
  }

  /** Ends the stream after everything that was sent. */
  end(): void {
    this.#isEnding = true
    if (this.#pendingBytes === 0) this.#outgoing.end()
  }

  /** The stream is gone: gives back what unsent frames hold. */
  abandon(): void {
    this.#isAbandoned = true
    for (const held of this.#leaving.splice(0)) held.release()
    for (const { held } of this.#queue.takeAll()) held?.release()
    this.#leavingBytes = 0
    this.#pendingBytes = 0
  }

  readonly #gathered = (): void => {
    this.#isGathering = false
    this.#writeOn()
  }

  #wasTaken(): void {
    this.#taken()
    this.#writeOn()
  }

  #writeOn(): void {
    this.#write()
    if (this.#isAbandoned) return
    if (this.#isEnding && this.#pendingBytes === 0) this.#outgoing.end()
    if (!this.#isFull || this.#queue.length > 0 || this.#pendingBytes >= sliceBytes) return
    this.#isFull = false
    this.#onDrained()
  }

  /** Until something is with the system that it has not taken. */
  #write(): void {
    while (this.#leavingBytes === 0 && !this.#isGathering && this.#queue.length > 0) {
      const slice = this.#nextSlice()
      if (!this.#outgoing.write(slice, this.#leavingBytes)) return
      this.#taken()
    }
  }

  #taken(): void {
    this.#pendingBytes -= this.#leavingBytes
    // What leaves makes room for others; whatever they send here waits until all of this is done.
    // One by one: V8 leaves its fast path to set an array's length.
    for (let held = this.#leaving.pop(); held !== undefined; held = this.#leaving.pop()) held.left()
    this.#leavingBytes = 0
  }

  #nextSlice(): readonly Buffer[] {
    const only = this.#queue.length === 1 ? this.#queue.first : undefined
    if (only?.nextChunk === 0 && (only.chunks.length === 1 || (!this.#encrypts && only.bytesLeft <= sliceBytes))) {
      this.#leavingBytes = only.bytesLeft
      this.#handedOver(only)
      return only.chunks
    }
    const slice: Buffer[] = []
    for (let frame = this.#queue.first; frame !== undefined; frame = this.#queue.first) {
      while (frame.bytesLeft > 0) {
        const chunk = frame.chunks[frame.nextChunk] as Buffer
        if (this.#leavingBytes > 0 && !this.#goesWith(slice, chunk)) return slice
        slice.push(chunk)
        this.#leavingBytes += chunk.length
        frame.bytesLeft -= chunk.length
        frame.nextChunk++
      }
      this.#handedOver(frame)
    }
    return slice
  }

  #handedOver({ held }: QueuedFrame): void {
    this.#queue.take()
    if (held !== undefined) this.#leaving.push(held)
  }

  #goesWith([first]: readonly Buffer[], chunk: Buffer): boolean {
    if (this.#encrypts && (first!.length >= aloneBytes || chunk.length >= aloneBytes)) return false
    return this.#leavingBytes < sliceBytes
  }
}
