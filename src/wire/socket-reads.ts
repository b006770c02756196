/**
 * How a socket is read below its stream, into buffers that are used again. Backpressure is as in `inbound.ts`: nothing is
 * read any more after a pause, and again once `_read` is called.
 */
import type { Socket } from 'node:net'
import { type HandleReader, readBy } from './handle-reads.ts'
import type { Incoming } from './incoming.ts'
import type { ReceiveBuffers } from './receive-buffers.ts'

/**
 * Node learns of the next buffer when all that a read brought about is over, by what its callback returns. An
 * exception that nobody catches returns nothing: from then on it may read into another buffer than the one it names, and
 * what is handed over could be anybody's. Such a process is about to end; until then nothing more is.
 */
let isReliable = true
process.once('uncaughtExceptionMonitor', () => {
  isReliable = false
})

/** Which frames of a connection are received into slabs, and which part of which slab is next. */
export interface Slabs {
  /** Where the next read goes; undefined: where everything goes that is copied. */
  target(): Buffer | undefined
  /** So many bytes are in the last target: what there is to hand over, undefined while there is nothing. */
  filled(bytes: number): Buffer | undefined
  /** `view` came among what is copied: true where it is in a slab now, and has not to be handed over. */
  takes(view: Buffer): boolean
  /** The first frame that was handed over is complete: see `Incoming`. */
  frameEnded(): (() => void) | undefined
  /** The connection is over, and with it the frame in progress. */
  end(): void
}

export type OnChunk = (chunk: Buffer) => void

/** Smaller reads are not worth a look at what they belong to. */
const takenBytesMin = 4 * 1024

export class SocketReads implements Incoming, HandleReader {
  readonly #socket: Socket
  readonly #buffers: ReceiveBuffers
  readonly #shared: Buffer
  readonly #slabs: Slabs
  readonly #onChunk: OnChunk
  /** Where the next read goes. */
  #target: Buffer
  #isReading = true
  /** Until what the stream held before has been handed over. */
  #hasBacklog = true

  private constructor(socket: Socket, buffers: ReceiveBuffers, slabs: Slabs, onChunk: OnChunk) {
    this.#socket = socket
    this.#buffers = buffers
    this.#shared = buffers.shared
    this.#target = buffers.shared
    this.#slabs = slabs
    this.#onChunk = onChunk
  }

  /**
   * Undefined where this Node cannot. `onChunk` is called from the next tick on, first with what the socket's stream holds
   * already.
   */
  static of(socket: Socket, buffers: ReceiveBuffers, slabs: Slabs, onChunk: OnChunk): SocketReads | undefined {
    const reads = new SocketReads(socket, buffers, slabs, onChunk)
    if (!readBy(socket, buffers.shared, reads)) return undefined
    process.nextTick(() => reads.#start())
    return reads
  }

  get isReading(): boolean {
    return this.#isReading
  }

  pause(): void {
    this.#isReading = false
  }

  resume(): void {
    if (this.#isReading) return
    this.#isReading = true
    if (!this.#socket.destroyed) this.#socket._read(0)
  }

  frameEnded(): (() => void) | undefined {
    return this.#slabs.frameEnded()
  }

  end(): void {
    this.#slabs.end()
  }

  /** Called by the handle. */
  received(bytes: number): Buffer | undefined {
    if (this.#hasBacklog) this.#handOverBacklog()
    this.#handOver(bytes)
    const target = this.#slabs.target() ?? this.#shared
    // Node reads into it already: to look at it once more costs as much as a small read.
    if (target === this.#target) return undefined
    this.#target = target
    return target
  }

  #start(): void {
    if (this.#socket.destroyed) return
    if (this.#hasBacklog) this.#handOverBacklog()
    if (this.#isReading && !this.#socket.destroyed) this.#socket._read(0)
  }

  /** Reading an empty stream that has ended makes it say so. */
  #handOverBacklog(): void {
    this.#hasBacklog = false
    for (let chunk = this.#socket.read(); chunk !== null; chunk = this.#socket.read()) this.#onChunk(chunk)
  }

  #handOver(bytes: number): void {
    if (!isReliable) {
      this.#isReading = false
      this.#socket.destroy(
        new Error('nothing is read after an exception that nobody caught: the process has to start again'),
      )
      return
    }
    const chunk = this.#target === this.#shared ? this.#copied(bytes) : this.#slabs.filled(bytes)
    if (chunk !== undefined) this.#onChunk(chunk)
  }

  #copied(bytes: number): Buffer | undefined {
    const isTaken = bytes >= takenBytesMin && this.#slabs.takes(this.#shared.subarray(0, bytes))
    return isTaken ? undefined : this.#buffers.copyOfShared(bytes)
  }
}
