/** A run of received bytes: views on the chunks they came in, never copied until someone asks for one buffer. */
export class Span {
  static readonly empty = new Span([], 0)

  readonly chunks: readonly Buffer[]
  readonly byteLength: number

  constructor(chunks: readonly Buffer[], byteLength: number) {
    this.chunks = chunks
    this.byteLength = byteLength
  }

  static of(...chunks: Buffer[]): Span {
    let byteLength = 0
    for (const chunk of chunks) byteLength += chunk.length
    return byteLength === 0 ? Span.empty : new Span(chunks, byteLength)
  }

  /** The byte at `index`; undefined beyond the end. */
  byteAt(index: number): number | undefined {
    let at = index
    for (const chunk of this.chunks) {
      if (at < chunk.length) return chunk[at]
      at -= chunk.length
    }
    return undefined
  }

  /** The bytes in one piece: a view where they already are, a copy where they span chunks. */
  toBuffer(): Buffer {
    return this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks, this.byteLength)
  }
}
