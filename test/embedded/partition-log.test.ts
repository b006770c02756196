import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PartitionLog } from '../../src/embedded/partition-log.ts'
import { completeBatches, hasValidChecksum, readBatch } from '../../src/records/record-batch.ts'
import { writeBatch } from '../../src/records/write-batch.ts'
import type { Span } from '../../src/wire/span.ts'

const batch = (timestamps: bigint[]) => {
  return readBatch(writeBatch(timestamps.map(timestamp => ({ value: Buffer.alloc(100), timestamp }))))
}

const offsets = (records: Span) => [...completeBatches(records.toBuffer())].map(({ baseOffset }) => baseOffset)

describe('the log of a partition', () => {
  it('gives batches their offsets and the epoch of their leader, and leaves what it was given alone', () => {
    const log = new PartitionLog(1e6)
    const given = batch([1n, 2n, 3n])
    assert.equal(log.append(given, 4), 0n)
    assert.equal(log.append(given, 5), 3n)
    assert.equal(log.endOffset, 6n)
    assert.equal(given.bytes.readBigInt64BE(0), 0n)
    const [first, second] = [...completeBatches(log.read(0n, 1e6, true).toBuffer())]
    assert.deepEqual([first!.baseOffset, first!.partitionLeaderEpoch], [0n, 4])
    assert.deepEqual([second!.baseOffset, second!.partitionLeaderEpoch], [3n, 5])
    assert.ok(hasValidChecksum(second!))
  })

  it('reads from the batch that holds the offset, up to the bytes asked for', () => {
    const log = new PartitionLog(1e6)
    for (let count = 0; count < 5; count++) log.append(batch([1n, 2n]), 0)
    const { length } = batch([1n, 2n]).bytes
    assert.deepEqual(offsets(log.read(0n, 1e6, true)), [0n, 2n, 4n, 6n, 8n])
    assert.deepEqual(offsets(log.read(5n, 1e6, true)), [4n, 6n, 8n])
    assert.deepEqual(offsets(log.read(2n, 2 * length, true)), [2n, 4n])
    assert.deepEqual(offsets(log.read(2n, 2 * length - 1, true)), [2n])
    assert.deepEqual(offsets(log.read(2n, 1, true)), [2n])
    assert.deepEqual(offsets(log.read(2n, 1, false)), [])
    assert.deepEqual(offsets(log.read(10n, 1e6, true)), [])
  })

  it('finds batches by time', () => {
    const log = new PartitionLog(1e6)
    assert.equal(log.findTimestamp(0n), undefined)
    assert.equal(log.findMaxTimestamp(), undefined)
    for (const timestamps of [[10n, 20n], [50n, 40n], [30n]]) log.append(batch(timestamps), 0)
    assert.deepEqual(log.findTimestamp(15n), { offset: 0n, timestamp: 10n })
    assert.deepEqual(log.findTimestamp(21n), { offset: 2n, timestamp: 50n })
    assert.equal(log.findTimestamp(51n), undefined)
    assert.deepEqual(log.findMaxTimestamp(), { offset: 3n, timestamp: 50n })
  })

  it('drops its oldest batches where it grows beyond its bound', () => {
    const { length } = batch([1n]).bytes
    const log = new PartitionLog(3 * length)
    for (let count = 0; count < 5; count++) log.append(batch([1n]), 0)
    assert.equal(log.startOffset, 2n)
    assert.equal(log.endOffset, 5n)
    assert.deepEqual(offsets(log.read(2n, 1e6, true)), [2n, 3n, 4n])
  })
})
