/** The batches of one partition, in memory and as the producers sent them; the oldest go when it grows too large. */
import { BatchLayout, type RecordBatch, readBatch } from '../records/record-batch.ts'
import { Span } from '../wire/span.ts'

export interface OffsetAndTimestamp {
  readonly offset: bigint
  readonly timestamp: bigint
}

export class PartitionLog {
  readonly #bytesMax: number
  readonly #batches: RecordBatch[] = []
  #bytes = 0
  #endOffset = 0n

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get startOffset(): bigint {
    return this.#batches[0]?.baseOffset ?? this.#endOffset
  }

  /** The next record's offset. Nothing here waits for replicas, so it is the high watermark too. */
  get endOffset(): bigint {
    return this.#endOffset
  }

  /** Copies the batch, gives it its offset and leader epoch, and returns the offset. */
  append(batch: RecordBatch, leaderEpoch: number): bigint {
    const bytes = Buffer.from(batch.bytes)
    const baseOffset = this.#endOffset
    bytes.writeBigInt64BE(baseOffset, BatchLayout.baseOffset)
    bytes.writeInt32BE(leaderEpoch, BatchLayout.partitionLeaderEpoch)
    this.#batches.push(readBatch(bytes))
    this.#bytes += bytes.length
    this.#endOffset = baseOffset + BigInt(batch.lastOffsetDelta) + 1n
    while (this.#bytes > this.#bytesMax && this.#batches.length > 1) this.#bytes -= this.#batches.shift()!.bytes.length
    return baseOffset
  }

  /** Batches from the one that holds `offset`, up to `bytesMax`, but one at least where `always` says so. */
  read(offset: bigint, bytesMax: number, always: boolean): Span {
    const chunks: Buffer[] = []
    let left = bytesMax
    for (let at = this.#indexOf(offset); at < this.#batches.length; at++) {
      const { bytes } = this.#batches[at]!
      if (bytes.length > left && !(always && chunks.length === 0)) break
      chunks.push(bytes)
      left -= bytes.length
    }
    return Span.of(...chunks)
  }

  /** The first batch with a record of that time or later: its beginning, not the record itself. */
  findTimestamp(timestamp: bigint): OffsetAndTimestamp | undefined {
    const batch = this.#batches.find(({ maxTimestamp }) => maxTimestamp >= timestamp)
    return batch && { offset: batch.baseOffset, timestamp: batch.baseTimestamp }
  }

  /** The batch with the latest record: its last offset. */
  findMaxTimestamp(): OffsetAndTimestamp | undefined {
    const [first, ...others] = this.#batches
    if (first === undefined) return undefined
    const latest = others.reduce((max, batch) => (batch.maxTimestamp > max.maxTimestamp ? batch : max), first)
    return { offset: lastOffset(latest), timestamp: latest.maxTimestamp }
  }

  #indexOf(offset: bigint): number {
    let low = 0
    let high = this.#batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (lastOffset(this.#batches[middle]!) < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

function lastOffset({ baseOffset, lastOffsetDelta }: RecordBatch): bigint {
  return baseOffset + BigInt(lastOffsetDelta)
}
