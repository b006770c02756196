/** The records of a batch that is not compressed, as views on its bytes. */
import { WireError } from '../errors.ts'
import { Reader } from '../wire/reader.ts'
import { BatchAttribute, BatchLayout, isCompressed, type RecordBatch } from './record-batch.ts'

export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

export interface BatchRecord {
  readonly offset: bigint
  readonly timestamp: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

/** @throws WireError when the records are compressed, or are not what the batch says they are. */
export function readRecords(batch: RecordBatch): BatchRecord[] {
  if (isCompressed(batch)) {
    throw new WireError('records are compressed', { details: { codec: batch.attributes & BatchAttribute.compression } })
  }
  const reader = new Reader(batch.bytes.subarray(BatchLayout.records))
  const records: BatchRecord[] = []
  for (let left = batch.recordCount; left > 0; left--) records.push(readRecord(reader, batch))
  reader.expectEnd()
  return records
}

function readRecord(reader: Reader, batch: RecordBatch): BatchRecord {
  const byteLength = reader.varint()
  const end = reader.remaining - byteLength
  if (byteLength < 0 || end < 0) throw new WireError('record length out of bounds', { details: { byteLength } })
  reader.int8()
  const timestampDelta = reader.varlong()
  const offset = batch.baseOffset + BigInt(reader.varint())
  const appended = (batch.attributes & BatchAttribute.logAppendTime) !== 0
  const record = {
    offset,
    timestamp: appended ? batch.maxTimestamp : batch.baseTimestamp + timestampDelta,
    key: readBytes(reader),
    value: readBytes(reader),
    headers: readHeaders(reader),
  }
  if (reader.remaining !== end) throw new WireError('record is not as long as it says', { details: { byteLength } })
  return record
}

function readHeaders(reader: Reader): RecordHeader[] {
  const count = reader.varint()
  if (count < 0) throw new WireError('record header count is negative', { details: { count } })
  const headers: RecordHeader[] = []
  for (let left = count; left > 0; left--) {
    const key = readBytes(reader)
    if (key === null) throw new WireError('record header without a key')
    headers.push({ key: key.toString('utf8'), value: readBytes(reader) })
  }
  return headers
}

function readBytes(reader: Reader): Buffer | null {
  const byteLength = reader.varint()
  if (byteLength < -1) throw new WireError('negative length in a record', { details: { byteLength } })
  return byteLength === -1 ? null : reader.span(byteLength).toBuffer()
}
