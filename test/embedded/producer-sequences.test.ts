import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProducerSequences } from '../../src/embedded/producer-sequences.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { type RecordBatch, readBatch } from '../../src/records/record-batch.ts'
import { writeBatch } from '../../src/records/write-batch.ts'

function batch(baseSequence: number, { count = 1, producerEpoch = 0, producerId = 7n } = {}): RecordBatch {
  const record = { value: Buffer.from('v'), timestamp: 0n }
  return readBatch(
    writeBatch(
      Array.from({ length: count }, () => record),
      { producerId, producerEpoch, baseSequence },
    ),
  )
}

const append = { kind: 'append' }
const outOfOrder = { kind: 'refuse', errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER }

describe('the sequences of idempotent producers', () => {
  function having(...batches: [RecordBatch, bigint][]): ProducerSequences {
    const sequences = new ProducerSequences()
    for (const [each, offset] of batches) {
      assert.deepEqual(sequences.judge(each), append)
      sequences.appended(each, offset)
    }
    return sequences
  }

  it('go on without a gap', () => {
    const sequences = having([batch(0, { count: 3 }), 100n])
    assert.deepEqual(sequences.judge(batch(3)), append)
    assert.deepEqual(sequences.judge(batch(4)), outOfOrder)
    assert.deepEqual(sequences.judge(batch(1)), outOfOrder)
  })

  it('show a batch that is sent again, among the last five', () => {
    const sequences = having(...[0, 1, 2, 3, 4, 5].map((at): [RecordBatch, bigint] => [batch(at), BigInt(at + 10)]))
    assert.deepEqual(sequences.judge(batch(5)), { kind: 'duplicate', baseOffset: 15n })
    assert.deepEqual(sequences.judge(batch(1)), { kind: 'duplicate', baseOffset: 11n })
    assert.deepEqual(sequences.judge(batch(0)), outOfOrder)
    assert.deepEqual(sequences.judge(batch(4, { count: 2 })), outOfOrder)
  })

  it('begin anew with a new epoch, which shuts out the old one', () => {
    const sequences = having([batch(0), 0n], [batch(0, { producerEpoch: 1 }), 1n])
    assert.deepEqual(sequences.judge(batch(1)), { kind: 'refuse', errorCode: ErrorCode.INVALID_PRODUCER_EPOCH })
    assert.deepEqual(sequences.judge(batch(1, { producerEpoch: 2 })), outOfOrder)
  })

  it('go on at zero after the largest number there is', () => {
    const sequences = having([batch(2 ** 31 - 2, { count: 2 }), 0n])
    assert.deepEqual(sequences.judge(batch(0)), append)
    const across = having([batch(2 ** 31 - 1, { count: 2 }), 0n])
    assert.deepEqual(across.judge(batch(1)), append)
  })

  it('of one producer are nothing to another, and a producer without an id has none', () => {
    const sequences = having([batch(0), 0n], [batch(-1, { producerId: -1n }), 1n])
    assert.deepEqual(sequences.judge(batch(9, { producerId: 8n })), append)
    assert.deepEqual(sequences.judge(batch(-1, { producerId: -1n })), append)
  })
})
