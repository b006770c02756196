/**
 * How a plaintext socket is read: by Node's `onread`, into buffers that are used again. (TLS decrypts into buffers of
 * its own, so there `wire/inbound.ts` reads.) Backpressure is as there: the socket stops reading when it hears false, and
 * reads again when `_read` is called.
 */
import type { OnReadOpts, Socket } from 'node:net'
import { type ReceiveBuffers, slabBytes } from '../wire/receive-buffers.ts'

/**
 * Node learns of the next buffer when all that its callback brought about is over, by what the callback returns. An
 * exception that nobody catches returns nothing: from then on it may read into another buffer than the one it names, and
 * what is handed over could be anybody's. Such a process is about to end; until then nothing more is.
 */
let isReliable = true
process.once('uncaughtExceptionMonitor', () => {
  isReliable = false
})

export interface SocketReader {
  /** Bytes of the frame in progress that are missing and may come; 0 where none is in progress, or not to be gone on with. */
  missingBytes(): number
  received(chunk: Buffer): void
}

export class SocketReads {
  /** For the socket's constructor. */
  readonly onread: OnReadOpts
  readonly #buffers: ReceiveBuffers
  #socket: Socket | undefined
  #reader: SocketReader | undefined
  /** Where the next read goes. */
  #target: Buffer
  /** The slabs of the frame in progress, and what the last of them has left. */
  #slabs: Buffer[] = []
  #rest: Buffer | undefined
  /** What came before there was a reader. */
  readonly #early: Buffer[] = []
  #isReading = true

  constructor(buffers: ReceiveBuffers) {
    this.#buffers = buffers
    this.#target = buffers.shared
    this.onread = { buffer: () => this.#nextTarget(), callback: bytes => this.#read(bytes) }
  }

  get isReading(): boolean {
    return this.#isReading
  }

  /** `reader` hears from the next tick on. */
  start(socket: Socket, reader: SocketReader): void {
    this.#socket = socket
    process.nextTick(() => {
      this.#reader = reader
      for (const chunk of this.#early.splice(0)) reader.received(chunk)
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

  /**
   * The frame in progress is complete. What gives its slabs back, undefined where it has none: they hold that frame and
   * nothing else, and are received into again.
   */
  frameEnded(): (() => void) | undefined {
    this.#rest = undefined
    if (this.#slabs.length === 0) return undefined
    const slabs = this.#slabs
    this.#slabs = []
    return () => {
      for (const slab of slabs) this.#buffers.giveBack(slab)
    }
  }

  #nextTarget(): Buffer {
    this.#target = this.#inSlab(this.#reader?.missingBytes() ?? 0) ?? this.#buffers.shared
    return this.#target
  }

  /** A slab is begun only where the frame fills it, so that the frame's own reservation counts it. */
  #inSlab(missingBytes: number): Buffer | undefined {
    if (this.#rest === undefined && missingBytes >= slabBytes) {
      this.#rest = this.#buffers.takeSlab()
      this.#slabs.push(this.#rest)
    }
    if (missingBytes <= 0 || this.#rest === undefined) return undefined
    // Never beyond the frame: what follows it is another's.
    return missingBytes < this.#rest.length ? this.#rest.subarray(0, missingBytes) : this.#rest
  }

  #read(bytes: number): boolean {
    if (!isReliable) {
      this.#socket?.destroy(
        new Error('nothing is read after an exception that nobody caught: the process has to start again'),
      )
      return false
    }
    const chunk = this.#target === this.#buffers.shared ? copyOf(this.#target, bytes) : this.#takeFromSlab(bytes)
    if (this.#reader === undefined) {
      this.#early.push(chunk)
      return false
    }
    this.#reader.received(chunk)
    return this.#isReading
  }

  #takeFromSlab(bytes: number): Buffer {
    const rest = this.#rest as Buffer
    this.#rest = bytes === rest.length ? undefined : rest.subarray(bytes)
    return rest.subarray(0, bytes)
  }
}

/** Node's pool is for what is gone soon or small: a part of it keeps all of it. */
const pooledBytesMax = 512

function copyOf(buffer: Buffer, bytes: number): Buffer {
  const copy = bytes < pooledBytesMax ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes)
  buffer.copy(copy, 0, 0, bytes)
  return copy
}
