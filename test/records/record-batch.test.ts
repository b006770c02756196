import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { WireError } from '../../src/errors.ts'
import { readRecords } from '../../src/records/read-records.ts'
import { BatchLayout, completeBatches, hasValidChecksum, readBatch } from '../../src/records/record-batch.ts'
import { writeBatch } from '../../src/records/write-batch.ts'

const record = { key: Buffer.from('k'), value: Buffer.from('v'), timestamp: 1_700_000_000_000n }

describe('a record batch', () => {
  const bytesOrNull = fc.option(fc.uint8Array({ maxLength: 2000 }).map(bytes => Buffer.from(bytes)))
  const records = fc.array(
    fc.record(
      {
        key: bytesOrNull,
        value: bytesOrNull,
        timestamp: fc.bigInt({ min: 0n, max: 2n ** 50n }),
        headers: fc.array(fc.record({ key: fc.string(), value: bytesOrNull }, { noNullPrototype: true }), {
          maxLength: 3,
        }),
      },
      { noNullPrototype: true },
    ),
    { minLength: 1, maxLength: 20 },
  )

  it('gives back every record that was written', () => {
    fc.assert(
      fc.property(records, fc.bigInt({ min: 0n, max: 2n ** 60n }), (written, baseOffset) => {
        const batch = readBatch(writeBatch(written, { baseOffset, producerId: 7n, producerEpoch: 2, baseSequence: 5 }))
        assert.ok(hasValidChecksum(batch))
        assert.deepEqual([batch.producerId, batch.producerEpoch, batch.baseSequence], [7n, 2, 5])
        assert.equal(batch.lastOffsetDelta, written.length - 1)
        assert.equal(batch.maxTimestamp, written.map(({ timestamp }) => timestamp).sort((a, b) => (a < b ? 1 : -1))[0])
        assert.deepEqual(
          readRecords(batch),
          written.map((each, at) => ({ ...each, offset: baseOffset + BigInt(at) })),
        )
      }),
    )
  })

  it('shows a changed byte by its checksum, but for the offset and the leader epoch that brokers set', () => {
    const bytes = writeBatch([record])
    for (let at = BatchLayout.crc; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = changed[at]! ^ 1
      assert.equal(hasValidChecksum(readBatch(changed)), false, `byte ${at}`)
    }
    bytes.writeBigInt64BE(99n, BatchLayout.baseOffset)
    bytes.writeInt32BE(3, BatchLayout.partitionLeaderEpoch)
    assert.ok(hasValidChecksum(readBatch(bytes)))
  })

  it('is refused where it is cut short, longer than its bytes, or of another version', () => {
    const bytes = writeBatch([record])
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => readBatch(bytes.subarray(0, length)), WireError)
    }
    for (const length of [-1, 0, BatchLayout.records - 13, 0x7fffffff, -0x80000000]) {
      const lying = Buffer.from(bytes)
      lying.writeInt32BE(length, BatchLayout.batchLength)
      assert.throws(() => readBatch(lying), WireError, `length ${length}`)
    }
    const old = Buffer.from(bytes)
    old[BatchLayout.magic] = 1
    assert.throws(() => readBatch(old), WireError)
  })

  it('never makes its reader throw anything but a WireError, whatever byte is wrong', () => {
    const bytes = writeBatch([{ ...record, headers: [{ key: 'h', value: Buffer.from('x') }] }, record])
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const wrong = Buffer.from(bytes)
        wrong[at] = value
        try {
          readRecords(readBatch(wrong))
        } catch (error) {
          assert.ok(error instanceof WireError, String(error))
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('is not unpacked where it is compressed', () => {
    const bytes = writeBatch([record], { attributes: 4 })
    assert.throws(() => readRecords(readBatch(bytes)), WireError)
  })

  it('is left out of a fetched run where the end of it is missing', () => {
    const one = writeBatch([record])
    const run = Buffer.concat([one, one, one])
    const whole = (bytes: Buffer) => [...completeBatches(bytes)].length
    assert.equal(whole(run), 3)
    for (let length = 2 * one.length; length < run.length; length++) assert.equal(whole(run.subarray(0, length)), 2)
  })
})
