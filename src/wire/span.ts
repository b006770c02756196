/** A run of received bytes: views on the chunks they came in, never copied until someone asks for one buffer. */
export class Span {
  static readonly empty = new Span(Buffer.alloc(0), 0, 0)

  readonly byteLength: number
  // Not hidden from who compares messages, as #fields would be.
  /** One chunk that the run lies in, whose view is made for who asks: most runs are passed on unseen. */
  private readonly source: Buffer | undefined
  private readonly offset: number
  private views: readonly Buffer[] | undefined

  private constructor(source: Buffer | undefined, offset: number, byteLength: number, views?: readonly Buffer[]) {
    this.source = source
    this.offset = offset
    this.byteLength = byteLength
    this.views = views
  }

  /** `byteLength` bytes of `source` from `offset` on; they are there. */
  static within(source: Buffer, offset: number, byteLength: number): Span {
    return new Span(source, offset, byteLength)
  }

  /** `chunks` hold `byteLength` bytes. */
  static over(chunks: readonly Buffer[], byteLength: number): Span {
    return new Span(undefined, 0, byteLength, chunks)
  }

  static of(...chunks: Buffer[]): Span {
    let byteLength = 0
    for (const chunk of chunks) byteLength += chunk.length
    return byteLength === 0 ? Span.empty : Span.over(chunks, byteLength)
  }

  get chunks(): readonly Buffer[] {
    this.views ??= [this.source!.subarray(this.offset, this.offset + this.byteLength)]
    return this.views
  }

  /** The byte at `index`; undefined beyond the end. */
  byteAt(index: number): number | undefined {
    if (index >= this.byteLength) return undefined
    if (this.source !== undefined) return this.source[this.offset + index]
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
