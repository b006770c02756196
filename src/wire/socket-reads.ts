/**
 * How a socket is read by Node's `onread`, into buffers that are used again. Backpressure is as in `inbound.ts`: the
 * socket stops reading when it hears false, and reads again when `_read` is called.
 */
import type { Socket } from 'node:net'
import type { Incoming } from './incoming.ts'
import type { Onread } from './late-onread.ts'
import type { ReceiveBuffers } from './receive-buffers.ts'

/**
 * Node learns of the next buffer when all that its callback brought about is over, by what the callback returns. An
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

export class SocketReads implements Incoming {
  /** For the socket's constructor, or for `readBy`. */
  readonly onread: Onread
  readonly buffers: ReceiveBuffers
  readonly #shared: Buffer
  #socket: Socket | undefined
  #slabs: Slabs | undefined
  #onChunk: OnChunk | undefined
  /** Where the next read goes. */
  #target: Buffer
  /** What came before anybody heard. */
  readonly #early: Buffer[] = []
  #isReading = true

  constructor(buffers: ReceiveBuffers) {
    this.buffers = buffers
    this.#shared = buffers.shared
    this.#target = buffers.shared
    // Its type has no word for what Node does where it gets none: go on with the last.
    this.onread = { buffer: () => this.#nextTarget() as Buffer, callback: bytes => this.#read(bytes) }
  }

  get isReading(): boolean {
    return this.#isReading
  }

  /** `onChunk` is called from the next tick on, first with what the socket's stream holds already. */
  start(socket: Socket, slabs: Slabs, onChunk: OnChunk): void {
    this.#socket = socket
    process.nextTick(() => {
      this.#slabs = slabs
      this.#onChunk = onChunk
      if (socket.destroyed) return
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) onChunk(chunk)
      for (const chunk of this.#early.splice(0)) onChunk(chunk)
      if (this.#isReading && !socket.destroyed) socket._read(0)
    })
  }

  pause(): void {
    this.#isReading = false
  }

  resume(): void {
    if (this.#isReading) return
    this.#isReading = true
    if (this.#socket?.destroyed === false) this.#socket._read(0)
  }

  frameEnded(): (() => void) | undefined {
    return this.#slabs?.frameEnded()
  }

  end(): void {
    this.#slabs?.end()
  }

  /** Undefined where Node reads into it already: to look at it once more costs as much as a small read. */
  #nextTarget(): Buffer | undefined {
    const target = this.#slabs?.target() ?? this.#shared
    // Before the start Node may have another handle to tell.
    if (this.#slabs !== undefined && target === this.#target) return undefined
    this.#target = target
    return target
  }

  #read(bytes: number): boolean {
    if (!isReliable) {
      this.#socket?.destroy(
        new Error('nothing is read after an exception that nobody caught: the process has to start again'),
      )
      return false
    }
    const chunk = this.#target === this.#shared ? this.#copied(bytes) : this.#slabs?.filled(bytes)
    if (chunk === undefined) return this.#isReading
    if (this.#onChunk === undefined) {
      this.#early.push(chunk)
      return false
    }
    this.#onChunk(chunk)
    return this.#isReading
  }

  #copied(bytes: number): Buffer | undefined {
    const isTaken = bytes >= takenBytesMin && this.#slabs?.takes(this.#shared.subarray(0, bytes))
    return isTaken ? undefined : this.buffers.copyOfShared(bytes)
  }
}
