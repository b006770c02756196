/** One uncompressed record batch, checksum included. */
import { Writer } from '../wire/writer.ts'
import { crc32c } from './crc32c.ts'
import type { RecordHeader } from './read-records.ts'
import { BatchLayout, batchMagic, batchPrefixBytes } from './record-batch.ts'

export interface NewRecord {
  readonly key?: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: bigint
  readonly headers?: readonly RecordHeader[]
}

/** What an idempotent producer adds to its batches. */
export interface ProducerSequence {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
}

export interface BatchOptions extends Partial<ProducerSequence> {
  readonly baseOffset?: bigint
  /** Bits of BatchAttribute other than compression. */
  readonly attributes?: number
}

/** `records` is not empty: a batch without records says nothing of when it was made. */
export function writeBatch(records: readonly NewRecord[], options: BatchOptions = {}): Buffer {
  const { baseOffset = 0n, attributes = 0, producerId = -1n, producerEpoch = -1, baseSequence = -1 } = options
  const baseTimestamp = records[0]!.timestamp
  const writer = new Writer()
  writer.int64(baseOffset)
  const setLength = writer.reserveInt32()
  writer.int32(-1)
  writer.int8(batchMagic)
  writer.int32(0)
  writer.int16(attributes)
  writer.int32(records.length - 1)
  writer.int64(baseTimestamp)
  writer.int64(latest(records))
  writer.int64(producerId)
  writer.int16(producerEpoch)
  writer.int32(baseSequence)
  writer.int32(records.length)
  for (const [delta, record] of records.entries()) writeRecord(writer, record, delta, baseTimestamp)
  setLength(writer.byteLength - batchPrefixBytes)
  const bytes = writer.toBuffer()
  bytes.writeUInt32BE(crc32c(bytes.subarray(BatchLayout.attributes)), BatchLayout.crc)
  return bytes
}

function latest(records: readonly NewRecord[]): bigint {
  let latest = records[0]!.timestamp
  for (const { timestamp } of records) if (timestamp > latest) latest = timestamp
  return latest
}

function writeRecord(writer: Writer, record: NewRecord, offsetDelta: number, baseTimestamp: bigint): void {
  const body = new Writer()
  body.int8(0)
  body.varlong(record.timestamp - baseTimestamp)
  body.varint(offsetDelta)
  writeBytes(body, record.key ?? null)
  writeBytes(body, record.value)
  const headers = record.headers ?? []
  body.varint(headers.length)
  for (const { key, value } of headers) {
    writeBytes(body, Buffer.from(key, 'utf8'))
    writeBytes(body, value)
  }
  writer.varint(body.byteLength)
  for (const chunk of body.chunks()) writer.raw(chunk)
}

function writeBytes(writer: Writer, value: Buffer | null): void {
  writer.varint(value === null ? -1 : value.length)
  if (value !== null) writer.raw(value)
}
