/** Share groups and streams groups. Members that really join are in ../scripts.ts. */
import { ApiKey } from '../../../../src/protocol/api-key.ts'
import type { Requests } from '../step.ts'
import type { Draw } from '../world.ts'

const stranger = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** Mostly the kind of group that the API is for. */
function groupOf(draw: Draw, live: 'share' | 'streams'): string {
  return draw.yes() ? draw.world.liveGroups[live] : draw.group()
}

export function topologyOf(sources: readonly string[], changelogs: readonly string[]) {
  return {
    epoch: 1,
    subtopologies: [
      {
        subtopologyId: '0',
        sourceTopics: [...sources],
        stateChangelogTopics: changelogs.map(name => ({ name, partitions: 0, replicationFactor: 1 })),
      },
    ],
  }
}

export const newGroupRequests: Requests<
  | typeof ApiKey.ShareGroupHeartbeat
  | typeof ApiKey.ShareGroupDescribe
  | typeof ApiKey.ShareFetch
  | typeof ApiKey.ShareAcknowledge
  | typeof ApiKey.StreamsGroupHeartbeat
  | typeof ApiKey.StreamsGroupDescribe
  | typeof ApiKey.DescribeShareGroupOffsets
  | typeof ApiKey.AlterShareGroupOffsets
  | typeof ApiKey.DeleteShareGroupOffsets
  | typeof ApiKey.StreamsGroupTopologyDescriptionUpdate
> = {
  [ApiKey.ShareGroupHeartbeat](draw) {
    const groupId = groupOf(draw, 'share')
    const subscribedTopicNames = draw.topics()
    const memberEpoch = draw.random.pick([1, 5, -1])
    return {
      items: 1 + subscribedTopicNames.length,
      body: () => ({ groupId, memberId: stranger, memberEpoch, subscribedTopicNames }),
    }
  },

  [ApiKey.ShareGroupDescribe](draw) {
    const groupIds = draw.some(() => groupOf(draw, 'share'))
    const includeAuthorizedOperations = draw.yes()
    return { items: groupIds.length, body: () => ({ groupIds, includeAuthorizedOperations }) }
  },

  [ApiKey.ShareFetch](draw) {
    const groupId = groupOf(draw, 'share')
    const topics = draw.topics()
    const shareSessionEpoch = draw.random.pick([1, 5, -1])
    return {
      items: 1 + topics.length,
      body: facts => ({
        groupId,
        memberId: stranger,
        shareSessionEpoch,
        maxRecords: 10,
        batchSize: 10,
        topics: topics.map(topic => ({ topicId: facts.topicId(topic), partitions: [{ partitionIndex: 0 }] })),
      }),
    }
  },

  [ApiKey.ShareAcknowledge](draw) {
    const groupId = groupOf(draw, 'share')
    const topics = draw.topics()
    const shareSessionEpoch = draw.random.pick([1, 5, -1])
    const acknowledgementBatches = [{ firstOffset: 0n, lastOffset: 0n, acknowledgeTypes: [1] }]
    return {
      items: 1 + topics.length,
      body: facts => ({
        groupId,
        memberId: stranger,
        shareSessionEpoch,
        topics: topics.map(topic => ({
          topicId: facts.topicId(topic),
          partitions: [{ partitionIndex: 0, acknowledgementBatches }],
        })),
      }),
    }
  },

  [ApiKey.StreamsGroupHeartbeat](draw) {
    const groupId = groupOf(draw, 'streams')
    const sources = draw.topics()
    const changelogs = draw.yes() ? [`${draw.world.prefix}store-changelog`] : []
    const withTopology = draw.yes()
    return {
      items: 1 + sources.length + changelogs.length,
      body: () => ({
        groupId,
        memberId: stranger,
        memberEpoch: 5,
        topology: withTopology ? topologyOf(sources, changelogs) : null,
      }),
    }
  },

  [ApiKey.StreamsGroupDescribe](draw) {
    const groupIds = draw.some(() => groupOf(draw, 'streams'))
    const options = { includeAuthorizedOperations: draw.yes(), includeTopologyDescription: draw.yes() }
    return { items: groupIds.length, body: () => ({ groupIds, ...options }) }
  },

  [ApiKey.DescribeShareGroupOffsets](draw) {
    // Kafka takes longer than anybody waits over a partition that is not there.
    const groups = draw.some(() => ({
      groupId: groupOf(draw, 'share'),
      topics: draw.yes(3) ? null : draw.topics().map(topicName => ({ topicName, partitions: [0] })),
    }))
    return { items: groups.reduce((sum, { topics }) => sum + 1 + (topics?.length ?? 0), 0), body: () => ({ groups }) }
  },

  [ApiKey.AlterShareGroupOffsets](draw) {
    const groupId = groupOf(draw, 'share')
    const topics = draw.topics().map(topicName => ({ topicName, partitions: [{ partitionIndex: 0, startOffset: 1n }] }))
    return { items: 1 + topics.length, body: () => ({ groupId, topics }) }
  },

  [ApiKey.DeleteShareGroupOffsets](draw) {
    const groupId = groupOf(draw, 'share')
    const topics = draw.topics().map(topicName => ({ topicName }))
    return { items: 1 + topics.length, body: () => ({ groupId, topics }) }
  },

  [ApiKey.StreamsGroupTopologyDescriptionUpdate](draw) {
    const groupId = groupOf(draw, 'streams')
    const node = { name: 'source', nodeType: 1, sourceTopics: draw.topics() }
    return {
      items: 1,
      body: () => ({
        groupId,
        memberId: stranger,
        topologyEpoch: 1,
        topologyDescription: { subtopologies: [{ subtopologyId: '0', nodes: [node] }] },
      }),
    }
  },
}
