/**
 * What comes in on one connection, handed over as it arrives. A socket gives every chunk to its own `push`; taking it
 * there spares the Readable's queue, its 'data' event and a tick of its own for every 16 KiB record of TLS.
 * Backpressure stays the socket's: it stops reading when `push` answers false, and reads again when `_read` is called.
 */
import type { Readable } from 'node:stream'
import type { Incoming } from './incoming.ts'

export class Inbound implements Incoming {
  readonly #stream: Readable
  readonly #onChunk: (chunk: Buffer) => void
  #isReading = true
  /** Until what the stream held before has been handed over. */
  #hasBacklog = true

  /** `onChunk` is called from the next tick on; a paused stream hands over no more than it has already read. */
  constructor(stream: Readable, onChunk: (chunk: Buffer) => void) {
    this.#stream = stream
    this.#onChunk = onChunk
    const end = stream.push.bind(stream)
    stream.push = (chunk: Buffer | null) => this.#push(chunk, end)
    process.nextTick(() => this.#start())
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
    if (!this.#stream.destroyed) this.#stream._read(0)
  }

  /** What came is Node's, and is collected. */
  frameEnded(): undefined {
    return undefined
  }

  end(): void {}

  #push(chunk: Buffer | null, end: (nothing: null) => boolean): boolean {
    if (this.#hasBacklog) this.#handOverBacklog()
    if (chunk === null) return end(null)
    this.#onChunk(chunk)
    return this.#isReading
  }

  #start(): void {
    if (this.#stream.destroyed) return
    this.#handOverBacklog()
    if (this.#isReading) this.#stream._read(0)
  }

  /** Reading an empty stream that has ended makes it say so. */
  #handOverBacklog(): void {
    this.#hasBacklog = false
    for (let chunk = this.#stream.read(); chunk !== null; chunk = this.#stream.read()) this.#onChunk(chunk)
  }
}
