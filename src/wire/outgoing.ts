import type { Writable } from 'node:stream'
import { HandleWrites } from './handle-writes.ts'

/** Where what leaves on one connection is handed to the system, one write at a time. */
export interface Outgoing {
  /**
   * True where the system has all of `chunks` now; else it is told later that it has, and nothing more is handed over until
   * then. They are `byteLength` in all, and not empty. What breaks is told by the socket alone.
   */
  write(chunks: readonly Buffer[], byteLength: number): boolean
  /** After the last write was taken: nothing more comes. */
  end(): void
}

/** To what is below the stream of a connected socket where this Node lets it, else to the stream. */
export function writeTo(stream: Writable, onTaken: () => void): Outgoing {
  // When the peer ends, Node would end the stream, and cut off what was not handed over yet.
  Object.assign(stream, { allowHalfOpen: true })
  const throughStream = new StreamWrites(stream, onTaken)
  return HandleWrites.of(stream, throughStream, onTaken) ?? throughStream
}

class StreamWrites implements Outgoing {
  readonly #stream: Writable
  readonly #taken: (error?: Error | null) => void

  constructor(stream: Writable, onTaken: () => void) {
    this.#stream = stream
    this.#taken = error => {
      if (!error) onTaken()
    }
  }

  write(chunks: readonly Buffer[]): boolean {
    const stream = this.#stream
    const last = chunks.length - 1
    stream.cork()
    for (let at = 0; at < last; at++) stream.write(chunks[at])
    stream.write(chunks[last], this.#taken)
    stream.uncork()
    return false
  }

  end(): void {
    this.#stream.end()
  }
}
