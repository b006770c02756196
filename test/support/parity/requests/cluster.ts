/** What administrators ask of the cluster as a whole. Nothing here changes what the run itself stands on. */
import { ApiKey } from '../../../../src/protocol/api-key.ts'
import { creationOf } from '../acl.ts'
import type { Requests } from '../step.ts'
import type { Draw } from '../world.ts'

/** A node, a broker, a voter that is not there. */
const nobodyId = 9_999

/** Rules about users who never connect: they change no decision. */
function harmlessAcl(draw: Draw) {
  const type = draw.random.pick(['topic', 'group', 'transactionalId', 'cluster'] as const)
  const name = type === 'cluster' ? 'kafka-cluster' : `${draw.world.prefix}orders`
  const permission = draw.random.pick(['allow', 'deny'] as const)
  const principal = `User:${draw.world.prefix}absent`
  return creationOf({ principal, type, pattern: 'literal', name, operation: 'describe', permission, host: '*' })
}

export const clusterRequests: Requests<
  | typeof ApiKey.DescribeAcls
  | typeof ApiKey.CreateAcls
  | typeof ApiKey.DeleteAcls
  | typeof ApiKey.AlterReplicaLogDirs
  | typeof ApiKey.DescribeLogDirs
  | typeof ApiKey.DescribeClientQuotas
  | typeof ApiKey.AlterClientQuotas
  | typeof ApiKey.DescribeUserScramCredentials
  | typeof ApiKey.AlterUserScramCredentials
  | typeof ApiKey.DescribeQuorum
  | typeof ApiKey.UpdateFeatures
  | typeof ApiKey.DescribeCluster
  | typeof ApiKey.UnregisterBroker
  | typeof ApiKey.GetTelemetrySubscriptions
  | typeof ApiKey.PushTelemetry
  | typeof ApiKey.AddRaftVoter
  | typeof ApiKey.RemoveRaftVoter
  | typeof ApiKey.UnregisterController
> = {
  [ApiKey.DescribeAcls](draw) {
    const resourceTypeFilter = draw.random.pick([1, 1, 2, 3, 4, 5, 0])
    const resourceNameFilter = draw.yes(3) ? draw.topic() : null
    const patternTypeFilter = draw.random.pick([1, 2, 3, 4])
    return {
      items: 1,
      body: () => ({
        resourceTypeFilter,
        resourceNameFilter,
        patternTypeFilter,
        principalFilter: null,
        hostFilter: null,
        operation: 1,
        permissionType: 1,
      }),
    }
  },

  [ApiKey.CreateAcls](draw) {
    const creations = draw.some(() => (draw.yes(8) ? { ...harmlessAcl(draw), operation: 99 } : harmlessAcl(draw)))
    return { items: creations.length, body: () => ({ creations }) }
  },

  [ApiKey.DeleteAcls](draw) {
    const filters = draw.some(() => {
      const acl = harmlessAcl(draw)
      return {
        resourceTypeFilter: acl.resourceType,
        resourceNameFilter: acl.resourceName,
        patternTypeFilter: 3,
        principalFilter: acl.principal,
        hostFilter: null,
        operation: acl.operation,
        permissionType: acl.permissionType,
      }
    })
    return { items: filters.length, body: () => ({ filters }) }
  },

  [ApiKey.AlterReplicaLogDirs](draw) {
    const topics = draw.topics().map(name => ({ name, partitions: draw.partitions() }))
    return { items: topics.length, body: () => ({ dirs: [{ path: '/no/such/folder', topics }] }) }
  },

  [ApiKey.DescribeLogDirs](draw) {
    const topics = draw.topics().map(topic => ({ topic, partitions: draw.partitions() }))
    const all = draw.yes(3)
    return { items: topics.length, body: () => ({ topics: all ? null : topics }) }
  },

  [ApiKey.DescribeClientQuotas](draw) {
    const components = draw.random.pick([
      [],
      [{ entityType: 'user', matchType: 0, match: `${draw.world.prefix}absent` }],
      [{ entityType: 'user', matchType: 2, match: null }],
      [{ entityType: 'odd', matchType: 0, match: 'x' }],
    ])
    return { items: 1, body: () => ({ components, strict: false }) }
  },

  [ApiKey.AlterClientQuotas](draw) {
    const entries = ['absent', 'absent-2'].slice(0, 1 + draw.random.below(2)).map(name => ({
      entity: [{ entityType: draw.yes(8) ? 'odd' : 'user', entityName: draw.world.prefix + name }],
      ops: [{ key: draw.yes(6) ? 'no_such' : 'producer_byte_rate', value: 1e9, remove: draw.yes(4) }],
    }))
    const validateOnly = draw.yes()
    return { items: entries.length, body: () => ({ entries, validateOnly }) }
  },

  [ApiKey.DescribeUserScramCredentials](draw) {
    const users = draw.some(() => ({ name: `${draw.world.prefix}user-${draw.random.below(3)}` }))
    const all = draw.yes(4)
    // Nobody asks for null: Kafka never answers where that is denied.
    return { items: users.length, body: () => ({ users: all ? [] : users }) }
  },

  [ApiKey.AlterUserScramCredentials](draw) {
    const user = () => `${draw.world.prefix}user-${draw.random.below(3)}`
    const upsertions = draw.some(() => ({
      name: user(),
      mechanism: draw.random.pick([1, 2, 9]),
      iterations: draw.yes(4) ? 1 : 4_096,
      salt: Buffer.from('salt'),
      saltedPassword: Buffer.alloc(32, 1),
    }))
    const deletions = draw.some(() => ({ name: user(), mechanism: 1 }))
    return { items: upsertions.length + deletions.length, body: () => ({ upsertions, deletions }) }
  },

  [ApiKey.DescribeQuorum](draw) {
    const topicName = draw.yes(4) ? draw.topic() : '__cluster_metadata'
    return { items: 1, body: () => ({ topics: [{ topicName, partitions: [{ partitionIndex: 0 }] }] }) }
  },

  [ApiKey.UpdateFeatures](draw) {
    const featureUpdates = [{ feature: draw.yes() ? 'no.such' : 'metadata.version', maxVersionLevel: 999 }]
    return { items: 1, body: () => ({ timeoutMs: 20_000, featureUpdates, validateOnly: true }) }
  },

  [ApiKey.DescribeCluster](draw) {
    const includeClusterAuthorizedOperations = draw.yes()
    const endpointType = draw.random.pick([1, 1, 1, 2, 9])
    const includeFencedBrokers = draw.yes()
    return { items: 1, body: () => ({ includeClusterAuthorizedOperations, endpointType, includeFencedBrokers }) }
  },

  [ApiKey.UnregisterBroker]: () => ({ items: 1, body: () => ({ brokerId: nobodyId }) }),

  [ApiKey.GetTelemetrySubscriptions]: () => ({ items: 1, body: () => ({}) }),

  [ApiKey.PushTelemetry](draw) {
    const clientInstanceId = draw.random.bytes(16).toString('base64url')
    return { items: 1, body: () => ({ clientInstanceId, subscriptionId: 5, metrics: Buffer.from('x') }) }
  },

  [ApiKey.AddRaftVoter]: () => ({
    items: 1,
    body: () => ({
      timeoutMs: 1_000,
      voterId: nobodyId,
      voterDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAQ',
      listeners: [{ name: 'CONTROLLER', host: '127.0.0.1', port: 1 }],
    }),
  }),

  [ApiKey.RemoveRaftVoter]: () => ({
    items: 1,
    body: () => ({ voterId: nobodyId, voterDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' }),
  }),

  [ApiKey.UnregisterController]: () => ({ items: 1, body: () => ({ controllerId: nobodyId }) }),
}
