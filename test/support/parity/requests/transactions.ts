/** What transactional producers ask of transaction and group coordinators, and what administrators ask about them. */
import { ApiKey } from '../../../../src/protocol/api-key.ts'
import type { Requests } from '../step.ts'

const longestTimeoutMs = 900_000

export const transactionRequests: Requests<
  | typeof ApiKey.InitProducerId
  | typeof ApiKey.AddPartitionsToTxn
  | typeof ApiKey.AddOffsetsToTxn
  | typeof ApiKey.EndTxn
  | typeof ApiKey.WriteTxnMarkers
  | typeof ApiKey.TxnOffsetCommit
  | typeof ApiKey.DescribeTransactions
  | typeof ApiKey.ListTransactions
> = {
  [ApiKey.InitProducerId](draw) {
    const transactionalId = draw.yes(3) ? null : draw.transactionalId()
    const transactionTimeoutMs = draw.yes(10) ? 0 : longestTimeoutMs
    const enable2Pc = draw.yes(3)
    return { items: 1, body: () => ({ transactionalId, transactionTimeoutMs, enable2Pc }) }
  },

  [ApiKey.AddPartitionsToTxn](draw) {
    const transactionalId = draw.transactionalId()
    const topics = draw.topics().map(name => ({ name, partitions: draw.partitions() }))
    const verifyOnly = draw.yes()
    return {
      items: 1 + topics.length,
      body: facts => {
        const { producerId, producerEpoch } = facts.producer(transactionalId)
        return {
          transactions: [{ transactionalId, producerId, producerEpoch, verifyOnly, topics }],
          v3AndBelowTransactionalId: transactionalId,
          v3AndBelowProducerId: producerId,
          v3AndBelowProducerEpoch: producerEpoch,
          v3AndBelowTopics: topics,
        }
      },
    }
  },

  [ApiKey.AddOffsetsToTxn](draw) {
    const transactionalId = draw.transactionalId()
    const groupId = draw.group()
    return { items: 2, body: facts => ({ transactionalId, ...facts.producer(transactionalId), groupId }) }
  },

  [ApiKey.EndTxn](draw) {
    const transactionalId = draw.transactionalId()
    const committed = draw.yes()
    return { items: 1, body: facts => ({ transactionalId, ...facts.producer(transactionalId), committed }) }
  },

  [ApiKey.WriteTxnMarkers](draw) {
    // A marker among what coordinators keep for themselves would stay for the rest of the run.
    const names = draw.topics().filter(name => !name.startsWith('__'))
    const topics = names.map(name => ({ name, partitionIndexes: draw.partitions() }))
    const transactionResult = draw.yes()
    return {
      items: topics.length,
      body: () => ({
        markers: [{ producerId: 424_242n, producerEpoch: 0, coordinatorEpoch: 0, transactionResult, topics }],
      }),
    }
  },

  [ApiKey.TxnOffsetCommit](draw) {
    const transactionalId = draw.transactionalId()
    const groupId = draw.group()
    const topics = draw.topics().map(name => ({
      name,
      partitions: draw.partitions().map(partitionIndex => ({
        partitionIndex,
        committedOffset: 1n,
        committedMetadata: 'parity',
      })),
    }))
    return {
      items: 2 + topics.length,
      body: facts => ({
        transactionalId,
        groupId,
        ...facts.producer(transactionalId),
        topics: topics.map(topic => ({ ...topic, topicId: facts.topicId(topic.name) })),
      }),
    }
  },

  [ApiKey.DescribeTransactions](draw) {
    const transactionalIds = draw.some(() => draw.transactionalId())
    return { items: transactionalIds.length, body: () => ({ transactionalIds }) }
  },

  [ApiKey.ListTransactions](draw) {
    const stateFilters = draw.random.pick([[], [], ['Ongoing'], ['nonsense']])
    const transactionalIdPattern = draw.random.pick([null, null, `${draw.world.prefix}tx.*`, '('])
    return { items: 1, body: () => ({ stateFilters, transactionalIdPattern }) }
  },
}
