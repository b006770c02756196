/** What clients and administrators ask about topics. */
import { ApiKey } from '../../../../src/protocol/api-key.ts'
import { zeroUuid } from '../../../../src/protocol/empty.ts'
import type { Facts, Requests } from '../step.ts'
import type { Draw } from '../world.ts'

/** By name, or by id where the version can. */
function nameOrId(byId: boolean, name: string, facts: Facts) {
  return byId ? { name: null, topicId: facts.topicId(name) } : { name, topicId: zeroUuid }
}

function byIdSometimes(draw: Draw, names: readonly string[], can: boolean) {
  return names.map(name => ({ name, byId: can && draw.yes() }))
}

export const topicRequests: Requests<
  | typeof ApiKey.Metadata
  | typeof ApiKey.CreateTopics
  | typeof ApiKey.DeleteTopics
  | typeof ApiKey.CreatePartitions
  | typeof ApiKey.ElectLeaders
  | typeof ApiKey.AlterPartitionReassignments
  | typeof ApiKey.ListPartitionReassignments
  | typeof ApiKey.DescribeTopicPartitions
> = {
  [ApiKey.Metadata](draw, version) {
    const all = draw.yes(5)
    const names = byIdSometimes(draw, draw.topics(), version >= 12 && draw.yes())
    const options = {
      allowAutoTopicCreation: draw.yes(),
      includeClusterAuthorizedOperations: draw.yes(),
      includeTopicAuthorizedOperations: draw.yes(),
    }
    const everyTopic = version === 0 || draw.yes(6) ? [] : null
    return {
      items: all ? 1 : names.length,
      body: facts => ({
        ...options,
        topics: all ? everyTopic : names.map(({ name, byId }) => nameOrId(byId, name, facts)),
      }),
    }
  },

  [ApiKey.CreateTopics](draw) {
    const names = draw.some(() => (draw.yes(3) ? draw.topic() : draw.random.pick(draw.world.absentTopics)))
    const topics = names.map(name => ({
      name,
      numPartitions: draw.random.pick([1, 1, 2, -1, 0]),
      replicationFactor: draw.random.pick([1, 1, 1, -1, 3]),
      configs: draw.yes(3)
        ? [{ name: draw.random.pick(['retention.ms', 'cleanup.policy', 'no.such']), value: '900000000000' }]
        : [],
    }))
    const validateOnly = !draw.yes(4)
    return { items: names.length, body: () => ({ timeoutMs: 20_000, validateOnly, topics }) }
  },

  [ApiKey.DeleteTopics](draw, version) {
    const draws = () =>
      draw.yes(3) ? draw.random.pick(draw.world.absentTopics) : draw.random.pick(draw.world.victims).name
    const names = draw.some(() => (draw.yes(60) ? draw.topic() : draws()))
    const named = byIdSometimes(draw, names, version >= 6 && draw.yes())
    return {
      items: names.length,
      body: facts => ({
        timeoutMs: 20_000,
        topicNames: names,
        topics: named.map(({ name, byId }) => nameOrId(byId, name, facts)),
      }),
    }
  },

  [ApiKey.CreatePartitions](draw) {
    const topics = draw.topics().map(name => ({ name, count: draw.random.pick([1, 2, 4]), assignments: null }))
    const validateOnly = draw.yes()
    return { items: topics.length, body: () => ({ timeoutMs: 20_000, validateOnly, topics }) }
  },

  [ApiKey.ElectLeaders](draw) {
    const topicPartitions = draw.topics().map(topic => ({ topic, partitions: draw.partitions() }))
    const electionType = draw.random.below(2)
    const all = draw.yes(6)
    return {
      items: topicPartitions.length,
      body: () => ({ electionType, timeoutMs: 20_000, topicPartitions: all ? null : topicPartitions }),
    }
  },

  [ApiKey.AlterPartitionReassignments](draw) {
    const topics = draw.topics().map(name => ({
      name,
      partitions: draw.partitions().map(partitionIndex => ({
        partitionIndex,
        replicas: draw.random.pick([null, null, [1], [99]]),
      })),
    }))
    return { items: topics.length, body: () => ({ timeoutMs: 20_000, topics }) }
  },

  [ApiKey.ListPartitionReassignments](draw) {
    const topics = draw.topics().map(name => ({ name, partitionIndexes: draw.partitions() }))
    const all = draw.yes(3)
    return { items: topics.length, body: () => ({ timeoutMs: 20_000, topics: all ? null : topics }) }
  },

  [ApiKey.DescribeTopicPartitions](draw) {
    const all = draw.yes(4)
    const topics = all ? [] : draw.topics().map(name => ({ name }))
    const cursor = draw.yes(4) ? { topicName: draw.topic(), partitionIndex: draw.random.below(2) } : null
    const responsePartitionLimit = draw.random.pick([2000, 2000, 1, 3, 5])
    return { items: Math.max(1, topics.length), body: () => ({ topics, responsePartitionLimit, cursor }) }
  },
}
