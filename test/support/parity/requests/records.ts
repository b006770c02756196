/** What producers and consumers ask of partitions. */
import { ApiKey } from '../../../../src/protocol/api-key.ts'
import { BatchAttribute } from '../../../../src/records/record-batch.ts'
import { writeBatch } from '../../../../src/records/write-batch.ts'
import { Span } from '../../../../src/wire/span.ts'
import type { Facts, Requests } from '../step.ts'
import type { Draw } from '../world.ts'

/** In the past, and the same on both sides. */
export const recordTimestamp = 1_700_000_000_000n

type BatchKind = 'plain' | 'idempotent' | 'transactional' | 'damaged'

interface NewBatch {
  readonly kind: BatchKind
  readonly sequence: number
  readonly transactionalId: string
}

function drawBatch(draw: Draw, transactionalId: string | null): NewBatch {
  const kinds: BatchKind[] =
    transactionalId === null
      ? ['plain', 'plain', 'plain', 'plain', 'plain', 'plain', 'idempotent', 'transactional']
      : ['transactional', 'transactional', 'transactional', 'plain']
  const kind = draw.yes(40) ? 'damaged' : draw.random.pick(kinds)
  const id = transactionalId ?? draw.random.pick(draw.world.transactionalIds)
  return { kind, sequence: draw.yes(4) ? 1 : 0, transactionalId: id }
}

/** Never without records at all: Kafka owes such a request its answer for ever. */
function bytesOf({ kind, sequence, transactionalId }: NewBatch, facts: Facts): Span {
  const records = [{ value: Buffer.from('parity'), timestamp: recordTimestamp }]
  const producer = { ...facts.producer(transactionalId), baseSequence: sequence }
  if (kind === 'plain') return Span.of(writeBatch(records))
  if (kind === 'idempotent') return Span.of(writeBatch(records, producer))
  if (kind === 'transactional') {
    return Span.of(writeBatch(records, { ...producer, attributes: BatchAttribute.transactional }))
  }
  const damaged = Buffer.from(writeBatch(records))
  damaged[damaged.length - 1]! ^= 0xff
  return Span.of(damaged)
}

export const recordRequests: Requests<
  | typeof ApiKey.Produce
  | typeof ApiKey.Fetch
  | typeof ApiKey.ListOffsets
  | typeof ApiKey.DeleteRecords
  | typeof ApiKey.OffsetForLeaderEpoch
  | typeof ApiKey.DescribeProducers
> = {
  [ApiKey.Produce](draw) {
    const transactionalId = draw.yes(5) ? draw.transactionalId() : null
    const topics = draw.topics().map(name => ({
      name,
      batches: draw.partitions().map(index => ({ index, batch: drawBatch(draw, transactionalId) })),
    }))
    const acks = draw.random.pick([-1, -1, -1, 1, 1, 0, draw.yes(10) ? 7 : 1])
    return {
      items: topics.length,
      body: facts => ({
        transactionalId,
        acks,
        timeoutMs: 10_000,
        topicData: topics.map(({ name, batches }) => ({
          name,
          topicId: facts.topicId(name),
          partitionData: batches.map(({ index, batch }) => ({ index, records: bytesOf(batch, facts) })),
        })),
      }),
    }
  },

  [ApiKey.Fetch](draw) {
    const topics = draw.topics().map(topic => ({ topic, partitions: draw.partitions() }))
    const sessionEpoch = draw.random.pick([-1, -1, -1, -1, 0, 1])
    const sessionId = draw.yes(10) ? 77 : 0
    const isolationLevel = draw.random.below(2)
    return {
      items: topics.length,
      body: facts => ({
        maxBytes: 1_000_000,
        isolationLevel,
        sessionId,
        sessionEpoch,
        topics: topics.map(({ topic, partitions }) => ({
          topic,
          topicId: facts.topicId(topic),
          partitions: partitions.map(partition => ({ partition, fetchOffset: 0n, partitionMaxBytes: 100_000 })),
        })),
      }),
    }
  },

  [ApiKey.ListOffsets](draw) {
    const timestamp = BigInt(draw.random.pick([-1, -1, -2, -2, 0, -3, -4, -5, -6]))
    const topics = draw.topics().map(name => ({ name, partitions: draw.partitions() }))
    const isolationLevel = draw.random.below(2)
    return {
      items: topics.length,
      body: () => ({
        replicaId: -1,
        isolationLevel,
        timeoutMs: 5_000,
        topics: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(partitionIndex => ({ partitionIndex, timestamp })),
        })),
      }),
    }
  },

  [ApiKey.DeleteRecords](draw) {
    const topics = draw.topics().map(name => ({ name, partitions: draw.partitions() }))
    const offset = BigInt(draw.random.pick([0, 1, -1, 999]))
    return {
      items: topics.length,
      body: () => ({
        timeoutMs: 10_000,
        topics: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(partitionIndex => ({ partitionIndex, offset })),
        })),
      }),
    }
  },

  [ApiKey.OffsetForLeaderEpoch](draw) {
    const topics = draw.topics().map(topic => ({ topic, partitions: draw.partitions() }))
    const leaderEpoch = draw.random.pick([0, 0, 5])
    return {
      items: topics.length,
      body: () => ({
        replicaId: -1,
        topics: topics.map(({ topic, partitions }) => ({
          topic,
          partitions: partitions.map(partition => ({ partition, leaderEpoch })),
        })),
      }),
    }
  },

  [ApiKey.DescribeProducers](draw) {
    const topics = draw.topics().map(name => ({ name, partitionIndexes: draw.partitions() }))
    return { items: topics.length, body: () => ({ topics }) }
  },
}
