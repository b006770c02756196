import { WireError } from '../errors.ts'
import { type ReadLimits, readLimits, stringBytesMax } from './bounds.ts'
import { Span } from './span.ts'
import type { TaggedField } from './tagged-field.ts'
import { asciiName, asciiText, checkedUtf8, shortBytesMax } from './text.ts'

const scratch = new DataView(new ArrayBuffer(8))

/**
 * Reads Kafka's primitive types from a message that may lie in several chunks.
 * Every length is checked against the bytes that are really there before anything is allocated for it.
 */
export class Reader {
  readonly #chunks: readonly Buffer[]
  readonly #limits: Partial<ReadLimits>
  #chunk: Buffer
  #index = 0
  #offset = 0
  #end: number
  /** Bytes in the chunks after the current one. */
  #later = 0
  #items = 0
  #unknownTags = 0

  constructor(chunks: Buffer | readonly Buffer[], limits: Partial<ReadLimits> = readLimits) {
    this.#chunks = Array.isArray(chunks) ? chunks : [chunks as Buffer]
    this.#limits = limits
    this.#chunk = this.#chunks[0] ?? Buffer.alloc(0)
    this.#end = this.#chunk.length
    for (let index = 1; index < this.#chunks.length; index++) this.#later += this.#chunks[index]!.length
  }

  get remaining(): number {
    return this.#later + this.#end - this.#offset
  }

  /** Tagged fields dropped because this build does not know them: the message must not be forwarded as received. */
  get unknownTags(): number {
    return this.#unknownTags
  }

  /** Elements of arrays so far, as `ReadLimits.itemsMax` counts them. */
  get items(): number {
    return this.#items
  }

  skip(byteLength: number): void {
    this.#require(byteLength)
    let left = byteLength
    while (left > this.#end - this.#offset) {
      left -= this.#end - this.#offset
      this.#nextChunk()
    }
    this.#offset += left
  }

  expectEnd(): void {
    if (this.remaining !== 0)
      throw new WireError('bytes left after the message', { details: { remaining: this.remaining } })
  }

  int8(): number {
    return (this.uint8() << 24) >> 24
  }

  uint8(): number {
    if (this.#offset === this.#end) {
      this.#require(1)
      while (this.#offset === this.#end) this.#nextChunk()
    }
    return this.#chunk[this.#offset++]!
  }

  /** Kafka's reader takes any byte but zero for true. */
  boolean(): boolean {
    return this.uint8() !== 0
  }

  int16(): number {
    return (this.uint16() << 16) >> 16
  }

  uint16(): number {
    const at = this.#offset
    if (this.#end - at < 2) return (this.uint8() << 8) | this.uint8()
    this.#offset = at + 2
    return (this.#chunk[at]! << 8) | this.#chunk[at + 1]!
  }

  /** The next int16, left to be read again. */
  peekInt16(): number {
    const [chunk, index, offset, end, later] = [this.#chunk, this.#index, this.#offset, this.#end, this.#later]
    const value = this.int16()
    this.#chunk = chunk
    this.#index = index
    this.#offset = offset
    this.#end = end
    this.#later = later
    return value
  }

  int32(): number {
    const at = this.#offset
    if (this.#end - at < 4) return (this.uint16() << 16) | this.uint16()
    const chunk = this.#chunk
    this.#offset = at + 4
    return (chunk[at]! << 24) | (chunk[at + 1]! << 16) | (chunk[at + 2]! << 8) | chunk[at + 3]!
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  int64(): bigint {
    scratch.setInt32(0, this.int32())
    scratch.setInt32(4, this.int32())
    return scratch.getBigInt64(0)
  }

  float64(): number {
    scratch.setInt32(0, this.int32())
    scratch.setInt32(4, this.int32())
    return scratch.getFloat64(0)
  }

  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.uint8()
      // The fifth byte has room for four bits; JavaScript's shift would lose the others without a word.
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) throw new WireError('varint padded with zeros')
        return value >>> 0
      }
    }
    throw new WireError('varint too long')
  }

  varint(): number {
    const value = this.uvarint()
    return (value >>> 1) ^ -(value & 1)
  }

  varlong(): bigint {
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.uint8()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) throw new WireError('varlong padded with zeros')
        return BigInt((low >>> 1) ^ -(low & 1))
      }
    }
    return this.#longVarlong(low)
  }

  #longVarlong(low: number): bigint {
    let value = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.uint8()
      if (shift === 63n && byte > 0x01) break
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) {
        if (byte === 0) throw new WireError('varlong padded with zeros')
        return (value >> 1n) ^ -(value & 1n)
      }
    }
    throw new WireError('varlong too long')
  }

  /** In Kafka's own text form: 22 characters of unpadded base64url. */
  uuid(): string {
    return this.#take(16).toString('base64url')
  }

  string(): string {
    return this.#name(this.#present(this.int16(), 'string'))
  }

  nullableString(): string | null {
    const length = this.int16()
    return length === -1 ? null : this.#utf8(this.#present(length, 'string'))
  }

  compactString(): string {
    return this.#name(this.#present(this.uvarint() - 1, 'string'))
  }

  /** A string that comes again and again, as the client's id does. */
  nullableName(): string | null {
    const length = this.int16()
    return length === -1 ? null : this.#name(this.#present(length, 'string'))
  }

  compactNullableString(): string | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.#utf8(length)
  }

  bytes(): Buffer {
    return this.#take(this.#present(this.int32(), 'bytes'))
  }

  nullableBytes(): Buffer | null {
    const length = this.int32()
    return length === -1 ? null : this.#take(this.#present(length, 'bytes'))
  }

  compactBytes(): Buffer {
    return this.#take(this.#present(this.uvarint() - 1, 'bytes'))
  }

  compactNullableBytes(): Buffer | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.#take(length)
  }

  records(): Span {
    return this.span(this.#present(this.int32(), 'records'))
  }

  nullableRecords(): Span | null {
    const length = this.int32()
    return length === -1 ? null : this.span(this.#present(length, 'records'))
  }

  compactRecords(): Span {
    return this.span(this.#present(this.uvarint() - 1, 'records'))
  }

  compactNullableRecords(): Span | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.span(length)
  }

  /** `itemsPerElement`: what each counts for in `ReadLimits.itemsMax`. */
  arrayLength(elementBytesMin: number, itemsPerElement = 1): number {
    return this.#elements(this.#present(this.int32(), 'array'), elementBytesMin, itemsPerElement)
  }

  /** −1 for null. */
  nullableArrayLength(elementBytesMin: number, itemsPerElement = 1): number {
    const length = this.int32()
    return length === -1 ? -1 : this.#elements(this.#present(length, 'array'), elementBytesMin, itemsPerElement)
  }

  compactArrayLength(elementBytesMin: number, itemsPerElement = 1): number {
    return this.#elements(this.#present(this.uvarint() - 1, 'array'), elementBytesMin, itemsPerElement)
  }

  /** −1 for null. */
  compactNullableArrayLength(elementBytesMin: number, itemsPerElement = 1): number {
    return this.#elements(this.uvarint() - 1, elementBytesMin, itemsPerElement)
  }

  /** The tagged fields of a struct that has none in this build: dropped and counted, or returned where they are kept. */
  taggedFields(): TaggedField[] | undefined {
    let kept: TaggedField[] | undefined
    for (let left = this.tagCount(), tag = -1; left > 0; left--) {
      tag = this.tag(tag)
      kept = this.unknownTag(tag, this.tagEnd(), kept)
    }
    return kept
  }

  tagCount(): number {
    const count = this.uvarint()
    if (count > (this.#limits.tagsMax ?? readLimits.tagsMax))
      throw new WireError('too many tagged fields', { details: { count } })
    return count
  }

  /** Ids must ascend, so that no field can be given twice. */
  tag(previous: number): number {
    const tag = this.uvarint()
    if (tag <= previous) throw new WireError('tagged fields out of order', { details: { tag, previous } })
    return tag
  }

  /** Reads the size of a tagged field; answers what must remain once the field is read. */
  tagEnd(): number {
    const byteLength = this.uvarint()
    if (byteLength > (this.#limits.tagBytesMax ?? readLimits.tagBytesMax))
      throw new WireError('tagged field too large', { details: { byteLength } })
    this.#require(byteLength)
    return this.remaining - byteLength
  }

  expectTagEnd(end: number, tag: number): void {
    if (this.remaining === end) return
    throw new WireError('tagged field is not as long as it says', { details: { tag, excess: end - this.remaining } })
  }

  unknownTag(tag: number, end: number, kept: TaggedField[] | undefined): TaggedField[] | undefined {
    if (this.#limits.keepUnknownTags ?? readLimits.keepUnknownTags) {
      const field = { tag, data: this.#take(this.remaining - end) }
      if (kept === undefined) return [field]
      kept.push(field)
      return kept
    }
    this.#unknownTags++
    this.skip(this.remaining - end)
    return undefined
  }

  /** Views on the next bytes, whatever they are. */
  span(byteLength: number): Span {
    this.#require(byteLength)
    if (byteLength === 0) return Span.empty
    const at = this.#offset
    if (byteLength <= this.#end - at) {
      this.#offset = at + byteLength
      return Span.within(this.#chunk, at, byteLength)
    }
    const chunks: Buffer[] = []
    let left = byteLength
    while (left > this.#end - this.#offset) {
      if (this.#offset < this.#end) chunks.push(this.#chunk.subarray(this.#offset, this.#end))
      left -= this.#end - this.#offset
      this.#nextChunk()
    }
    chunks.push(this.#chunk.subarray(this.#offset, this.#offset + left))
    this.#offset += left
    return Span.over(chunks, byteLength)
  }

  #take(byteLength: number): Buffer {
    const at = this.#offset
    if (byteLength > this.#end - at) return this.span(byteLength).toBuffer()
    this.#offset = at + byteLength
    return this.#chunk.subarray(at, at + byteLength)
  }

  /** Names are never null. What may be null may be a value, and a secret: those are not remembered. */
  #name(byteLength: number): string {
    const at = this.#offset
    if (byteLength > shortBytesMax || byteLength > this.#end - at) return this.#utf8(byteLength)
    const name = asciiName(this.#chunk, at, at + byteLength)
    if (name === undefined) return this.#utf8(byteLength)
    this.#offset = at + byteLength
    return name
  }

  #utf8(byteLength: number): string {
    if (byteLength > stringBytesMax) throw new WireError('string too long', { details: { byteLength } })
    const at = this.#offset
    if (byteLength > shortBytesMax || byteLength > this.#end - at) return checkedUtf8(this.#take(byteLength))
    const text = asciiText(this.#chunk, at, at + byteLength)
    if (text === undefined) return checkedUtf8(this.#take(byteLength))
    this.#offset = at + byteLength
    return text
  }

  #present(length: number, what: string): number {
    if (length < 0) throw new WireError(`${what} may not be null or of negative length`, { details: { length } })
    return length
  }

  #elements(count: number, elementBytesMin: number, itemsPerElement: number): number {
    if (count <= 0) return count
    if (count * elementBytesMin > this.remaining)
      throw new WireError('array longer than the bytes left', { details: { count, remaining: this.remaining } })
    this.#items += count * itemsPerElement
    const { itemsMax = readLimits.itemsMax, itemsSetting: setting } = this.#limits
    if (this.#items <= itemsMax) return count
    throw new WireError('too many items in one message', { details: { itemsMax, setting } })
  }

  #require(byteLength: number): void {
    if (byteLength <= this.remaining) return
    throw new WireError('message is shorter than it says', {
      details: { wanted: byteLength, remaining: this.remaining },
    })
  }

  #nextChunk(): void {
    this.#chunk = this.#chunks[++this.#index]!
    this.#offset = 0
    this.#end = this.#chunk.length
    this.#later -= this.#end
  }
}
