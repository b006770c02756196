import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { handlers } from '../../src/embedded/handler-table.ts'
import { ApiKey, apiName } from '../../src/protocol/api-key.ts'
import { describeApi } from '../../src/protocol/api-table.ts'
import type { RequestByKey } from '../../src/protocol/codec.ts'
import { zeroUuid } from '../../src/protocol/empty.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { writeBatch } from '../../src/records/write-batch.ts'
import { Span } from '../../src/wire/span.ts'
import { Asking } from './asking.ts'

type Served = { [Key in ApiKey]?: (version: number) => RequestByKey[Key] }

const group = 'every-version'
const assigned = Buffer.from('assignment')

describe('embedded nodes', { timeout: 60_000 }, () => {
  let cluster: EmbeddedCluster
  let asking: Asking

  before(async () => {
    cluster = await startEmbeddedCluster({ nodes: 1 })
    cluster.createTopic('t', { partitions: 1 })
    asking = await Asking.connect(cluster.node(1))
  })
  after(async () => {
    asking?.close()
    await cluster?.stop()
  })

  const topicId = () => cluster.topic('t').id
  const named = (version: number, idsFrom: number) => {
    return version >= idsFrom ? { name: '', topicId: topicId() } : { name: 't', topicId: zeroUuid }
  }
  const records = () => Span.of(writeBatch([{ value: Buffer.from('v'), timestamp: 5n }]))
  let member = { memberId: '', generationId: -1 }

  const requests: Served = {
    [ApiKey.Produce]: version => {
      const partitionData = [{ index: 0, records: records() }]
      return { transactionalId: null, acks: 1, timeoutMs: 1, topicData: [{ ...named(version, 13), partitionData }] }
    },
    [ApiKey.Fetch]: version => {
      const { name: topic, topicId } = named(version, 13)
      const partition = {
        ...{ partition: 0, currentLeaderEpoch: -1, fetchOffset: 0n, lastFetchedEpoch: -1, logStartOffset: -1n },
        ...{ partitionMaxBytes: 1e6, replicaDirectoryId: zeroUuid, highWatermark: 2n ** 63n - 1n },
      }
      return {
        ...{ clusterId: null, replicaId: -1, replicaState: { replicaId: -1, replicaEpoch: -1n } },
        ...{ maxWaitMs: 1, minBytes: 1, maxBytes: 1e6, isolationLevel: 0, sessionId: 0, sessionEpoch: -1 },
        ...{ topics: [{ topic, topicId, partitions: [partition] }], forgottenTopicsData: [], rackId: '' },
      }
    },
    [ApiKey.ListOffsets]: () => {
      const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1n }]
      return { replicaId: -1, isolationLevel: 0, topics: [{ name: 't', partitions }], timeoutMs: 0 }
    },
    [ApiKey.Metadata]: version => ({
      topics: [{ name: version >= 12 ? null : 't', topicId: version >= 12 ? topicId() : zeroUuid }],
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: version >= 8 && version <= 10,
      includeTopicAuthorizedOperations: version >= 8,
    }),
    [ApiKey.OffsetCommit]: version => {
      const partition = { partitionIndex: 0, committedOffset: 1n, committedLeaderEpoch: -1, committedMetadata: null }
      const topics = [{ ...named(version, 10), partitions: [partition] }]
      const identity = { groupId: 'commits', generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null }
      return { ...identity, retentionTimeMs: -1n, topics }
    },
    [ApiKey.OffsetFetch]: version => {
      const topics = [{ name: 't', partitionIndexes: [0] }]
      const asked = { groupId: 'commits', memberId: null, memberEpoch: -1 }
      return version >= 8
        ? {
            groupId: '',
            topics: [],
            groups: [{ ...asked, topics: [{ ...topics[0]!, ...named(version, 10) }] }],
            requireStable: false,
          }
        : { groupId: 'commits', topics, groups: [], requireStable: false }
    },
    [ApiKey.FindCoordinator]: version => {
      return version >= 4
        ? { key: '', keyType: 0, coordinatorKeys: [group] }
        : { key: group, keyType: 0, coordinatorKeys: [] }
    },
    [ApiKey.JoinGroup]: () => ({
      ...{ groupId: group, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, memberId: member.memberId },
      ...{ groupInstanceId: null, protocolType: 'consumer', reason: null },
      protocols: [{ name: 'range', metadata: Buffer.from('m') }],
    }),
    [ApiKey.SyncGroup]: version => ({
      ...{ groupId: group, ...member, groupInstanceId: null },
      ...{ protocolType: version >= 5 ? 'consumer' : null, protocolName: version >= 5 ? 'range' : null },
      assignments: [{ memberId: member.memberId, assignment: assigned }],
    }),
    [ApiKey.Heartbeat]: () => ({ groupId: group, ...member, groupInstanceId: null }),
    [ApiKey.LeaveGroup]: version => {
      return version >= 3
        ? {
            groupId: group,
            memberId: '',
            members: [{ memberId: member.memberId, groupInstanceId: null, reason: null }],
          }
        : { groupId: group, memberId: member.memberId, members: [] }
    },
    [ApiKey.DescribeGroups]: version => ({ groups: ['commits'], includeAuthorizedOperations: version >= 3 }),
    [ApiKey.ListGroups]: () => ({ statesFilter: [], typesFilter: [] }),
    [ApiKey.DeleteGroups]: () => ({ groupsNames: ['commits'] }),
    [ApiKey.ApiVersions]: () => ({
      clientSoftwareName: 'test',
      clientSoftwareVersion: '1',
      clusterId: null,
      nodeId: -1,
    }),
    [ApiKey.CreateTopics]: version => {
      const topic = { name: `made-${version}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
      return { topics: [topic], timeoutMs: 1, validateOnly: false }
    },
    [ApiKey.CreatePartitions]: version => {
      return { topics: [{ name: `grown-${version}`, count: 3, assignments: null }], timeoutMs: 1, validateOnly: false }
    },
    [ApiKey.DeleteTopics]: version => {
      const name = `dead-${version}`
      return version >= 6
        ? { topics: [{ name: null, topicId: cluster.topic(name).id }], topicNames: [], timeoutMs: 1 }
        : { topics: [], topicNames: [name], timeoutMs: 1 }
    },
    [ApiKey.InitProducerId]: () => ({
      ...{ transactionalId: null, transactionTimeoutMs: 1, producerId: -1n, producerEpoch: -1 },
      ...{ enable2Pc: false, keepPreparedTxn: false },
    }),
    [ApiKey.OffsetForLeaderEpoch]: () => {
      const partitions = [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }]
      return { replicaId: -2, topics: [{ topic: 't', partitions }] }
    },
    [ApiKey.DescribeConfigs]: version => ({
      resources: [
        { resourceType: 2, resourceName: 't', configurationKeys: null },
        { resourceType: 4, resourceName: '1', configurationKeys: ['listeners'] },
      ],
      includeSynonyms: true,
      includeDocumentation: version >= 3,
    }),
    [ApiKey.DescribeCluster]: () => {
      return { includeClusterAuthorizedOperations: true, endpointType: 1, includeFencedBrokers: false }
    },
    [ApiKey.DescribeTopicPartitions]: () => ({ topics: [{ name: 't' }], responsePartitionLimit: 10, cursor: null }),
  }

  /** What must be there before a version is asked. */
  async function prepare(key: number, version: number): Promise<void> {
    if (key === ApiKey.CreatePartitions) cluster.createTopic(`grown-${version}`, { partitions: 1 })
    if (key === ApiKey.DeleteTopics) cluster.createTopic(`dead-${version}`)
    if (key === ApiKey.DeleteGroups || key === ApiKey.DescribeGroups || key === ApiKey.OffsetFetch) {
      await ask(ApiKey.OffsetCommit, 9)
    }
    if (key === ApiKey.LeaveGroup || key === ApiKey.SyncGroup || key === ApiKey.Heartbeat) {
      const joined = await ask(ApiKey.JoinGroup, 3)
      member = { memberId: joined.memberId, generationId: joined.generationId }
      if (key === ApiKey.Heartbeat) await ask(ApiKey.SyncGroup, 0)
    }
  }

  /** So that the next version finds the group as this one did. */
  async function tidy(key: number, answer: object): Promise<void> {
    if (key === ApiKey.JoinGroup && 'memberId' in answer)
      member = { memberId: String(answer.memberId), generationId: 0 }
    if (key === ApiKey.JoinGroup || key === ApiKey.SyncGroup || key === ApiKey.Heartbeat)
      await ask(ApiKey.LeaveGroup, 0)
    member = { memberId: '', generationId: -1 }
  }

  function ask<Key extends ApiKey>(key: Key, version: number) {
    const body = requests[key]!(version) as RequestByKey[Key]
    return asking.ask({ key, version, body })
  }

  /** Every error code in an answer, however deep. */
  function errorCodes(value: unknown): number[] {
    if (typeof value !== 'object' || value === null || Buffer.isBuffer(value) || value instanceof Span) return []
    return Object.entries(value).flatMap(([name, each]) => {
      return /errorCode$/i.test(name) ? [each as number] : errorCodes(each)
    })
  }

  for (const { key, versions } of handlers.values()) {
    const [min, max] = versions
    it(`answer ${apiName(key)} ${min} to ${max} without an error`, async () => {
      for (let version = min; version <= max; version++) {
        await prepare(key, version)
        const answer = await ask(key, version)
        // KIP-394: the first JoinGroup of a dynamic member only tells its id.
        const expected = key === ApiKey.JoinGroup && version >= 4 ? ErrorCode.MEMBER_ID_REQUIRED : ErrorCode.NONE
        const codes = errorCodes(answer)
        assert.deepEqual(new Set(codes), new Set(codes.length === 0 ? [] : [expected]), `version ${version}`)
        await tidy(key, answer)
      }
    })
  }

  it('serve no version that Kafka does not have, and none in the making', () => {
    for (const { key, versions } of handlers.values()) {
      const { minVersion, maxVersion, latestVersionUnstable } = describeApi(key)!
      assert.deepEqual(versions, [minVersion, latestVersionUnstable ? maxVersion - 1 : maxVersion], apiName(key))
    }
  })
})
