import { stringBytesMax } from './bounds.ts'
import type { Span } from './span.ts'
import type { TaggedField } from './tagged-field.ts'

/** Bytes longer than this are passed on by reference instead of being copied. */
const copiedBytesMax = 1024
const segmentBytesMin = 512
const segmentBytesMax = 64 * 1024
/** Up to here writing characters one by one is cheaper than a call into native code. */
const asciiLoopMax = 64

const scratch = new DataView(new ArrayBuffer(8))

/**
 * Writes Kafka's primitive types into growing segments; record bytes and other large buffers are linked, not copied.
 * What is handed out covers written bytes only: the unwritten rest of a segment is never part of a chunk.
 */
export class Writer {
  readonly #chunks: Buffer[] = []
  /** Bytes in the finished chunks. */
  #finished = 0
  #segment: Buffer
  /** Where the bytes of the segment begin that are in no finished chunk. */
  #start = 0
  #offset = 0

  constructor(bytesExpected = segmentBytesMin) {
    this.#segment = Buffer.allocUnsafe(bytesExpected)
  }

  get byteLength(): number {
    return this.#finished + this.#offset - this.#start
  }

  /** The written bytes, in order. The writer may be written to afterwards; these chunks do not change. */
  chunks(): Buffer[] {
    this.#finishChunk()
    return this.#chunks.slice()
  }

  toBuffer(): Buffer {
    this.#finishChunk()
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#finished)
  }

  int8(value: number): void {
    this.#checkRange(value, -0x80, 0x7f)
    this.#byte(value)
  }

  uint8(value: number): void {
    this.#checkRange(value, 0, 0xff)
    this.#byte(value)
  }

  boolean(value: boolean): void {
    this.#byte(value ? 1 : 0)
  }

  int16(value: number): void {
    this.#checkRange(value, -0x8000, 0x7fff)
    this.#short(value)
  }

  uint16(value: number): void {
    this.#checkRange(value, 0, 0xffff)
    this.#short(value)
  }

  int32(value: number): void {
    this.#checkRange(value, -0x80000000, 0x7fffffff)
    this.#word(value)
  }

  uint32(value: number): void {
    this.#checkRange(value, 0, 0xffffffff)
    this.#word(value)
  }

  int64(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} does not fit into 64 bits`)
    scratch.setBigInt64(0, value)
    this.#word(scratch.getInt32(0))
    this.#word(scratch.getInt32(4))
  }

  float64(value: number): void {
    scratch.setFloat64(0, value)
    this.#word(scratch.getInt32(0))
    this.#word(scratch.getInt32(4))
  }

  /** Reserves four bytes, to be filled in when what they count has been written. */
  reserveInt32(): (value: number) => void {
    this.#room(4)
    const segment = this.#segment
    const at = this.#offset
    this.#word(0)
    return value => {
      segment.writeInt32BE(value, at)
    }
  }

  uvarint(value: number): void {
    this.#checkRange(value, 0, 0xffffffff)
    let left = value
    while (left > 0x7f) {
      this.#byte((left & 0x7f) | 0x80)
      left >>>= 7
    }
    this.#byte(left)
  }

  varint(value: number): void {
    this.#checkRange(value, -0x80000000, 0x7fffffff)
    this.uvarint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  varlong(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} does not fit into 64 bits`)
    let left = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    while (left > 0x7fn) {
      this.#byte(Number(left & 0x7fn) | 0x80)
      left >>= 7n
    }
    this.#byte(Number(left))
  }

  uuid(value: string): void {
    this.#room(16)
    const written = value.length === 22 ? this.#segment.write(value, this.#offset, 16, 'base64url') : 0
    if (written !== 16) throw new RangeError('uuid is not 22 characters of base64url')
    this.#offset += 16
  }

  string(value: string): void {
    const byteLength = utf8Length(value)
    this.#short(byteLength)
    this.#utf8(value, byteLength)
  }

  nullableString(value: string | null): void {
    if (value === null) this.#short(-1)
    else this.string(value)
  }

  compactString(value: string): void {
    const byteLength = utf8Length(value)
    this.uvarint(byteLength + 1)
    this.#utf8(value, byteLength)
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.#byte(0)
    else this.compactString(value)
  }

  bytes(value: Buffer): void {
    this.int32(value.length)
    this.raw(value)
  }

  nullableBytes(value: Buffer | null): void {
    if (value === null) this.#word(-1)
    else this.bytes(value)
  }

  compactBytes(value: Buffer): void {
    this.uvarint(value.length + 1)
    this.raw(value)
  }

  compactNullableBytes(value: Buffer | null): void {
    if (value === null) this.#byte(0)
    else this.compactBytes(value)
  }

  records(value: Span): void {
    this.int32(value.byteLength)
    this.span(value)
  }

  nullableRecords(value: Span | null): void {
    if (value === null) this.#word(-1)
    else this.records(value)
  }

  compactRecords(value: Span): void {
    this.uvarint(value.byteLength + 1)
    this.span(value)
  }

  compactNullableRecords(value: Span | null): void {
    if (value === null) this.#byte(0)
    else this.compactRecords(value)
  }

  arrayLength(value: number): void {
    this.int32(value)
  }

  compactArrayLength(value: number): void {
    this.uvarint(value + 1)
  }

  /** The tagged fields of a struct: those set, in order, and the unknown ones that were kept. */
  taggedFields(known: readonly TaggedField[] | undefined, unknown: readonly TaggedField[] | undefined): void {
    const fields = known === undefined ? (unknown ?? []) : merged(known, unknown)
    this.uvarint(fields.length)
    for (const field of fields) {
      this.uvarint(field.tag)
      this.uvarint(field.data.length)
      this.raw(field.data)
    }
  }

  /** Bytes as they are, without a length. */
  raw(value: Buffer): void {
    if (value.length > copiedBytesMax) this.#link(value)
    else this.#copy(value)
  }

  span(value: Span): void {
    for (const chunk of value.chunks) this.raw(chunk)
  }

  #link(value: Buffer): void {
    this.#finishChunk()
    this.#chunks.push(value)
    this.#finished += value.length
  }

  #copy(value: Buffer): void {
    this.#room(value.length)
    value.copy(this.#segment, this.#offset)
    this.#offset += value.length
  }

  #byte(value: number): void {
    if (this.#offset === this.#segment.length) this.#room(1)
    this.#segment[this.#offset++] = value
  }

  #short(value: number): void {
    if (this.#offset + 2 > this.#segment.length) this.#room(2)
    const segment = this.#segment
    segment[this.#offset++] = value >> 8
    segment[this.#offset++] = value
  }

  #word(value: number): void {
    if (this.#offset + 4 > this.#segment.length) this.#room(4)
    const segment = this.#segment
    segment[this.#offset++] = value >> 24
    segment[this.#offset++] = value >> 16
    segment[this.#offset++] = value >> 8
    segment[this.#offset++] = value
  }

  #utf8(value: string, byteLength: number): void {
    this.#room(byteLength)
    const segment = this.#segment
    let offset = this.#offset
    if (byteLength === value.length && byteLength <= asciiLoopMax) {
      for (let index = 0; index < byteLength; index++) segment[offset++] = value.charCodeAt(index)
    } else {
      segment.write(value, offset, byteLength, 'utf8')
    }
    this.#offset += byteLength
  }

  #room(byteLength: number): void {
    if (this.#offset + byteLength <= this.#segment.length) return
    this.#finishChunk()
    const next = Math.min(this.#segment.length * 2, segmentBytesMax)
    this.#segment = Buffer.allocUnsafe(Math.max(next, byteLength))
    this.#start = 0
    this.#offset = 0
  }

  #finishChunk(): void {
    if (this.#offset === this.#start) return
    this.#chunks.push(this.#segment.subarray(this.#start, this.#offset))
    this.#finished += this.#offset - this.#start
    this.#start = this.#offset
  }

  #checkRange(value: number, min: number, max: number): void {
    if (!(value >= min && value <= max) || !Number.isInteger(value)) {
      throw new RangeError(`${value} is not an integer from ${min} to ${max}`)
    }
  }
}

function utf8Length(value: string): number {
  const byteLength = Buffer.byteLength(value, 'utf8')
  if (byteLength > stringBytesMax) throw new RangeError(`a string of ${byteLength} bytes is too long`)
  return byteLength
}

function merged(known: readonly TaggedField[], unknown: readonly TaggedField[] = []): readonly TaggedField[] {
  if (unknown.length === 0) return known
  const fields = [...known, ...unknown].sort((one, other) => one.tag - other.tag)
  const doubled = fields.find((field, index) => field.tag === fields[index + 1]?.tag)
  if (doubled !== undefined) throw new RangeError(`tagged field ${doubled.tag} is given twice`)
  return fields
}
