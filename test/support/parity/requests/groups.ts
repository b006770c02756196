/** What members and administrators ask of group coordinators. Members that really join are in ../scripts.ts. */
import { ApiKey } from '../../../../src/protocol/api-key.ts'
import type { Requests } from '../step.ts'
import type { Draw } from '../world.ts'

const stranger = 'stranger'

function drawOffsets(draw: Draw) {
  return draw.topics().map(name => ({
    name,
    partitions: draw.partitions().map(partitionIndex => ({
      partitionIndex,
      committedOffset: BigInt(draw.random.below(5)),
      committedMetadata: draw.yes(6) ? null : 'parity',
    })),
  }))
}

/** Groups that may go away: the seeded ones only now and then. */
function groupsToDelete(draw: Draw): string[] {
  const { random, world } = draw
  return draw.some(() => (draw.yes(12) ? draw.group() : random.pick([...world.absentGroups, `${world.prefix}victims`])))
}

export const groupRequests: Requests<
  | typeof ApiKey.OffsetCommit
  | typeof ApiKey.OffsetFetch
  | typeof ApiKey.FindCoordinator
  | typeof ApiKey.JoinGroup
  | typeof ApiKey.Heartbeat
  | typeof ApiKey.LeaveGroup
  | typeof ApiKey.SyncGroup
  | typeof ApiKey.DescribeGroups
  | typeof ApiKey.ListGroups
  | typeof ApiKey.DeleteGroups
  | typeof ApiKey.OffsetDelete
  | typeof ApiKey.ConsumerGroupHeartbeat
  | typeof ApiKey.ConsumerGroupDescribe
> = {
  [ApiKey.OffsetCommit](draw) {
    const groupId = draw.group()
    const topics = drawOffsets(draw)
    const member = draw.yes(8) ? { generationIdOrMemberEpoch: 3, memberId: stranger } : {}
    return {
      items: 1 + topics.length,
      body: facts => ({
        groupId,
        ...member,
        topics: topics.map(topic => ({ ...topic, topicId: facts.topicId(topic.name) })),
      }),
    }
  },

  [ApiKey.OffsetFetch](draw, version) {
    const groups = draw.groups().map(groupId => ({
      groupId,
      all: draw.yes(3),
      topics: draw.topics().map(name => ({ name, partitionIndexes: draw.partitions() })),
    }))
    const requireStable = draw.yes(4)
    const first = groups[0]!
    const items = version >= 8 ? groups : [first]
    return {
      items: items.reduce((sum, { topics }) => sum + 1 + topics.length, 0),
      body: facts => ({
        requireStable,
        groupId: first.groupId,
        topics: first.all && version >= 2 ? null : first.topics,
        groups: groups.map(({ groupId, all, topics }) => ({
          groupId,
          topics: all ? null : topics.map(topic => ({ ...topic, topicId: facts.topicId(topic.name) })),
        })),
      }),
    }
  },

  [ApiKey.FindCoordinator](draw, version) {
    const keyType = draw.random.pick([0, 0, 0, 1, 1, 2, draw.yes(10) ? 9 : 0])
    const names = draw.some(() => (keyType === 1 ? draw.transactionalId() : draw.group()))
    const topics = names.map(() => draw.topic())
    return {
      items: version >= 4 ? names.length : 1,
      body: facts => {
        const keys = names.map((name, at) => (keyType === 2 ? `${name}:${facts.topicId(topics[at]!)}:0` : name))
        return { key: keys[0]!, keyType, coordinatorKeys: keys }
      },
    }
  },

  [ApiKey.JoinGroup](draw) {
    const groupId = draw.group()
    const protocolType = draw.random.pick(['consumer', 'consumer', 'connect', ''])
    const protocols = draw.yes(8) ? [] : [{ name: 'range', metadata: Buffer.from([0, 0]) }]
    return {
      items: 1,
      body: () => ({
        groupId,
        sessionTimeoutMs: 1_800_000,
        rebalanceTimeoutMs: 1_000,
        memberId: stranger,
        protocolType,
        protocols,
      }),
    }
  },

  [ApiKey.Heartbeat](draw) {
    const groupId = draw.group()
    return { items: 1, body: () => ({ groupId, generationId: 1, memberId: stranger }) }
  },

  [ApiKey.LeaveGroup](draw) {
    const groupId = draw.group()
    const members = draw.some(() => ({ memberId: stranger + draw.random.below(3) }))
    return { items: 1, body: () => ({ groupId, memberId: stranger, members }) }
  },

  [ApiKey.SyncGroup](draw) {
    const groupId = draw.group()
    const named = draw.yes(4) ? {} : { protocolType: 'consumer', protocolName: 'range' }
    return { items: 1, body: () => ({ groupId, generationId: 1, memberId: stranger, ...named }) }
  },

  [ApiKey.DescribeGroups](draw) {
    const groups = draw.groups()
    const includeAuthorizedOperations = draw.yes()
    return { items: groups.length, body: () => ({ groups, includeAuthorizedOperations }) }
  },

  [ApiKey.ListGroups](draw) {
    const statesFilter = draw.random.pick([[], [], ['Empty'], ['Stable'], ['nonsense']])
    const typesFilter = draw.random.pick([[], [], ['classic'], ['consumer'], ['share', 'streams']])
    return { items: 1, body: () => ({ statesFilter, typesFilter }) }
  },

  [ApiKey.DeleteGroups](draw) {
    const groupsNames = groupsToDelete(draw)
    return { items: groupsNames.length, body: () => ({ groupsNames }) }
  },

  [ApiKey.OffsetDelete](draw) {
    const groupId = draw.group()
    const topics = draw
      .topics()
      .map(name => ({ name, partitions: draw.partitions().map(partitionIndex => ({ partitionIndex })) }))
    return { items: 1 + topics.length, body: () => ({ groupId, topics }) }
  },

  [ApiKey.ConsumerGroupHeartbeat](draw) {
    const groupId = draw.group()
    const subscribedTopicNames = draw.topics()
    const names = draw.topics()
    const memberEpoch = draw.random.pick([1, 5, -1, -2])
    const owns = draw.yes(3)
    return {
      items: 1 + subscribedTopicNames.length,
      body: facts => ({
        groupId,
        memberId: stranger,
        memberEpoch,
        subscribedTopicNames,
        rebalanceTimeoutMs: 3_600_000,
        topicPartitions: owns ? names.map(name => ({ topicId: facts.topicId(name), partitions: [0] })) : null,
      }),
    }
  },

  [ApiKey.ConsumerGroupDescribe](draw) {
    const groupIds = draw.groups()
    const includeAuthorizedOperations = draw.yes()
    return { items: groupIds.length, body: () => ({ groupIds, includeAuthorizedOperations }) }
  },
}
