/**
 * The header of a record batch, version 2 (KIP-98): what a batch says of itself without its records being touched.
 * Knows bounds and the checksum; nothing of compression or of the older message sets.
 */
import { WireError } from '../errors.ts'
import { crc32c } from './crc32c.ts'

export interface RecordBatch {
  /** The whole batch, header included: a view. */
  readonly bytes: Buffer
  readonly baseOffset: bigint
  readonly partitionLeaderEpoch: number
  readonly crc: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: bigint
  readonly maxTimestamp: bigint
  /** −1 where the producer is not idempotent. */
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** Where the fields of a batch lie. */
export const BatchLayout = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const

export const BatchAttribute = { compression: 0x07, logAppendTime: 0x08, transactional: 0x10, control: 0x20 } as const

export const batchMagic = 2

/** The offset and the length itself, which the batch's length does not count. */
export const batchPrefixBytes = BatchLayout.partitionLeaderEpoch

/**
 * The batch that begins at `at`.
 * @throws WireError when it is not wholly there or is of another version.
 */
export function readBatch(bytes: Buffer, at = 0): RecordBatch {
  const batch = bytes.subarray(at, at + batchBytes(bytes, at))
  const magic = batch.readInt8(BatchLayout.magic)
  if (magic !== batchMagic) throw new WireError('not a record batch of version 2', { details: { magic } })
  const recordCount = batch.readInt32BE(BatchLayout.recordCount)
  if (recordCount < 0) throw new WireError('record count is negative', { details: { recordCount } })
  return {
    bytes: batch,
    baseOffset: batch.readBigInt64BE(BatchLayout.baseOffset),
    partitionLeaderEpoch: batch.readInt32BE(BatchLayout.partitionLeaderEpoch),
    crc: batch.readUInt32BE(BatchLayout.crc),
    attributes: batch.readInt16BE(BatchLayout.attributes),
    lastOffsetDelta: batch.readInt32BE(BatchLayout.lastOffsetDelta),
    baseTimestamp: batch.readBigInt64BE(BatchLayout.baseTimestamp),
    maxTimestamp: batch.readBigInt64BE(BatchLayout.maxTimestamp),
    producerId: batch.readBigInt64BE(BatchLayout.producerId),
    producerEpoch: batch.readInt16BE(BatchLayout.producerEpoch),
    baseSequence: batch.readInt32BE(BatchLayout.baseSequence),
    recordCount,
  }
}

function batchBytes(bytes: Buffer, at: number): number {
  const remaining = bytes.length - at
  if (remaining < BatchLayout.records) {
    throw new WireError('record batch is shorter than its header', { details: { remaining } })
  }
  const byteLength = batchPrefixBytes + bytes.readInt32BE(at + BatchLayout.batchLength)
  if (byteLength < BatchLayout.records || byteLength > remaining) {
    throw new WireError('record batch length out of bounds', { details: { byteLength, remaining } })
  }
  return byteLength
}

/** The complete batches of a fetched run; brokers may cut the last one off where the response is full. */
export function* completeBatches(bytes: Buffer): Generator<RecordBatch> {
  for (let at = 0; bytes.length - at >= batchPrefixBytes; ) {
    const byteLength = batchPrefixBytes + bytes.readInt32BE(at + BatchLayout.batchLength)
    if (byteLength > bytes.length - at) return
    yield readBatch(bytes, at)
    at += byteLength
  }
}

/** The checksum covers everything from the attributes on: offset and leader epoch are the broker's to set. */
export function hasValidChecksum({ bytes, crc }: RecordBatch): boolean {
  return crc32c(bytes.subarray(BatchLayout.attributes)) === crc
}

export function isCompressed({ attributes }: RecordBatch): boolean {
  return (attributes & BatchAttribute.compression) !== 0
}

export function isTransactional({ attributes }: RecordBatch): boolean {
  return (attributes & BatchAttribute.transactional) !== 0
}

export function isControl({ attributes }: RecordBatch): boolean {
  return (attributes & BatchAttribute.control) !== 0
}
