// Prepared Kafka requests, written by hand: the load generator must not share code with what it measures.

const clientId = 'vkitm-bench'

const int8 = (value: number) => Buffer.from([value & 0xff])
const int16 = (value: number) => sized(2, buffer => buffer.writeInt16BE(value))
const int32 = (value: number) => sized(4, buffer => buffer.writeInt32BE(value))
const int64 = (value: bigint) => sized(8, buffer => buffer.writeBigInt64BE(value))
const string = (text: string) => Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)])
const compactString = (text: string) => Buffer.concat([varint(Buffer.byteLength(text) + 1), Buffer.from(text)])
const compactBytes = (bytes: Buffer) => Buffer.concat([varint(bytes.length + 1), bytes])
const zigzag = (value: number) => varint((value << 1) ^ (value >> 31))
const noTags = int8(0)

function sized(length: number, fill: (buffer: Buffer) => void): Buffer {
  const buffer = Buffer.alloc(length)
  fill(buffer)
  return buffer
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value >>> 0
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return Buffer.from(bytes)
}

/** A request whose correlation id, at offset 8, is left for the connection to fill in. */
export interface PreparedRequest {
  readonly frame: Buffer
  /** Where error codes stand in the response, counted after its length; every one must be 0. */
  readonly errorOffsets: readonly number[]
}

function frame(apiKey: number, version: number, body: readonly Buffer[]): Buffer {
  const message = Buffer.concat([int16(apiKey), int16(version), int32(0), string(clientId), ...body])
  return Buffer.concat([int32(message.length), message])
}

export function apiVersionsRequest(): PreparedRequest {
  return { frame: frame(18, 0, []), errorOffsets: [4] }
}

/** Metadata v8 for topics by name, of a cluster with one broker at 127.0.0.1; nothing is created. */
export function metadataRequest(topics: readonly string[]): PreparedRequest {
  const body = [int32(topics.length), ...topics.map(string), int8(0), int8(0), int8(0)]
  // correlation id, throttle; a list of one broker: id, host, port, rack; cluster id, controller; the list of topics
  const brokers = 4 + 4 + string('127.0.0.1').length + 4 + 2
  return { frame: frame(3, 8, body), errorOffsets: [4 + 4 + brokers + string('x'.repeat(22)).length + 4 + 4] }
}

/** Produce v12: acks=1, one record of `valueBytes` without key, to partition 0. */
export function produceRequest(topic: string, valueBytes: number): PreparedRequest {
  const partition = [int32(0), compactBytes(recordBatch(Buffer.alloc(valueBytes, 'v'))), noTags]
  const topics = [varint(2), compactString(topic), varint(2), ...partition, noTags]
  const body = [noTags, varint(0), int16(1), int32(30_000), ...topics, noTags]
  // correlation id, tags, topics length, topic, partitions length, partition index
  const errorOffset = 4 + 1 + 1 + compactString(topic).length + 1 + 4
  return { frame: frame(0, 12, body), errorOffsets: [errorOffset] }
}

/** Fetch v11 outside any fetch session: up to `bytes` of partition 0 from offset 0. */
export function fetchRequest(topic: string, bytes: number): PreparedRequest {
  const partition = [int32(0), int32(-1), int64(0n), int64(-1n), int32(bytes)]
  const topics = [int32(1), string(topic), int32(1), ...partition]
  const limits = [int32(-1), int32(500), int32(1), int32(bytes), int8(0)]
  const session = [int32(0), int32(-1)]
  const body = [...limits, ...session, ...topics, int32(0), string('')]
  // correlation id, throttle, then the response's own error; session id, topics, topic, partitions, index
  const own = 4 + 4
  return { frame: frame(1, 11, body), errorOffsets: [own, own + 2 + 4 + 4 + string(topic).length + 4 + 4] }
}

function recordBatch(value: Buffer): Buffer {
  const record = [int8(0), zigzag(0), zigzag(0), zigzag(-1), zigzag(value.length), value, zigzag(0)]
  const recordLength = record.reduce((sum, part) => sum + part.length, 0)
  const now = int64(BigInt(Date.now()))
  const producer = [int64(-1n), int16(-1), int32(-1)]
  const summed = Buffer.concat([int16(0), int32(0), now, now, ...producer, int32(1), zigzag(recordLength), ...record])
  const checked = [int32(-1), int8(2), sized(4, buffer => buffer.writeUInt32BE(crc32c(summed))), summed]
  const length = checked.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([int64(0n), int32(length), ...checked])
}

/** Castagnoli's polynomial, bit by bit: only ever run over one small batch. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return ~crc >>> 0
}
