import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { connect } from 'node:tls'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import type { RequestByKey } from '../../src/protocol/codec.ts'
import { zeroUuid } from '../../src/protocol/empty.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { apiVersionsRequestDefaults } from '../../src/protocol/generated/api-versions-request.ts'
import {
  creatableTopicDefaults,
  createTopicsRequestDefaults,
} from '../../src/protocol/generated/create-topics-request.ts'
import { describeTopicPartitionsRequestDefaults } from '../../src/protocol/generated/describe-topic-partitions-request.ts'
import {
  fetchRequestDefaults,
  fetchRequestFetchPartitionDefaults,
  fetchRequestFetchTopicDefaults,
} from '../../src/protocol/generated/fetch-request.ts'
import { heartbeatRequestDefaults } from '../../src/protocol/generated/heartbeat-request.ts'
import { metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import { produceRequestDefaults } from '../../src/protocol/generated/produce-request.ts'
import { writeBatch } from '../../src/records/write-batch.ts'
import { createRoot, issueClient, issueServer } from '../../src/tls/certificate-authority.ts'
import { Span } from '../../src/wire/span.ts'
import { Asking, askOnce } from './asking.ts'

const batch = () => writeBatch([{ value: Buffer.from('v'), timestamp: 1n }])

describe('an embedded cluster', { timeout: 30_000 }, () => {
  let cluster: EmbeddedCluster
  before(async () => {
    cluster = await startEmbeddedCluster({ nodes: 3, autoCreateTopics: true })
  })
  after(() => cluster?.stop())

  const leaderOf = (topic: string) => cluster.node(cluster.topic(topic).partitions[0]!.leaderId)

  async function produce(topic: string, bytes: Buffer, options: Partial<RequestByKey[typeof ApiKey.Produce]> = {}) {
    const partitionData = [{ index: 0, records: Span.of(bytes) }]
    const topicData = [{ name: '', topicId: cluster.topic(topic).id, partitionData }]
    const body = { ...produceRequestDefaults(), acks: -1, topicData, ...options }
    const { responses } = await askOnce(leaderOf(topic), { key: ApiKey.Produce, version: 13, body })
    return responses[0]!.partitionResponses[0]!
  }

  interface FetchOptions extends Partial<RequestByKey[typeof ApiKey.Fetch]> {
    readonly fetchOffset?: bigint
    readonly currentLeaderEpoch?: number
  }

  function fetch(topic: string, options: FetchOptions = {}) {
    const { fetchOffset = 0n, currentLeaderEpoch = -1, ...others } = options
    const partition = {
      ...fetchRequestFetchPartitionDefaults(),
      partitionMaxBytes: 1e6,
      fetchOffset,
      currentLeaderEpoch,
    }
    const topics = [{ ...fetchRequestFetchTopicDefaults(), topicId: cluster.topic(topic).id, partitions: [partition] }]
    const body = { ...fetchRequestDefaults(), maxWaitMs: 0, minBytes: 1, topics, ...others }
    return askOnce(leaderOf(topic), { key: ApiKey.Fetch, version: 18, body })
  }

  it('holds a fetch until there is something, or until the time is up', async () => {
    cluster.createTopic('poll', { partitions: 1 })
    const early = performance.now()
    const nothing = await fetch('poll', { maxWaitMs: 150 })
    assert.ok(performance.now() - early >= 140)
    assert.equal(nothing.responses[0]!.partitions[0]!.records!.byteLength, 0)
    const polling = fetch('poll', { maxWaitMs: 20_000 })
    await produce('poll', batch())
    const { responses } = await polling
    assert.equal(responses[0]!.partitions[0]!.highWatermark, 1n)
    const both = fetch('poll', { maxWaitMs: 20_000, minBytes: batch().length + 1 })
    const isEarly = await Promise.race([both.then(() => true), new Promise(resolve => setTimeout(resolve, 100, false))])
    assert.equal(isEarly, false)
    await produce('poll', batch())
    assert.equal((await both).responses[0]!.partitions[0]!.records!.byteLength, 2 * batch().length)
  })

  it('ends a long poll when its leader moves or its topic goes', async () => {
    cluster.createTopic('leaving', { partitions: 1 })
    const { leaderId } = cluster.topic('leaving').partitions[0]!
    const polling = fetch('leaving', { maxWaitMs: 20_000 })
    await new Promise(resolve => setTimeout(resolve, 50))
    cluster.moveLeader('leaving', 0, (leaderId % 3) + 1)
    const moved = (await polling).responses[0]!.partitions[0]!
    assert.equal(moved.errorCode, ErrorCode.NOT_LEADER_OR_FOLLOWER)
    assert.deepEqual(moved.currentLeader, { leaderId: (leaderId % 3) + 1, leaderEpoch: 1 })
    const again = fetch('leaving', { maxWaitMs: 20_000 })
    await new Promise(resolve => setTimeout(resolve, 50))
    cluster.deleteTopic('leaving')
    assert.equal((await again).responses[0]!.partitions[0]!.errorCode, ErrorCode.UNKNOWN_TOPIC_ID)
  })

  it('says what is wrong with a fetch', async () => {
    cluster.createTopic('wrong', { partitions: 1 })
    const codeOf = async (options: FetchOptions) => {
      const { errorCode, responses } = await fetch('wrong', options)
      return errorCode || responses[0]!.partitions[0]!.errorCode
    }
    assert.equal(await codeOf({ fetchOffset: 1n }), ErrorCode.OFFSET_OUT_OF_RANGE)
    assert.equal(await codeOf({ fetchOffset: -1n }), ErrorCode.OFFSET_OUT_OF_RANGE)
    assert.equal(await codeOf({ currentLeaderEpoch: 1 }), ErrorCode.UNKNOWN_LEADER_EPOCH)
    assert.equal(await codeOf({ sessionId: 7, sessionEpoch: 1 }), ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    const { leaderId } = cluster.topic('wrong').partitions[0]!
    cluster.moveLeader('wrong', 0, (leaderId % 3) + 1)
    assert.equal(await codeOf({ currentLeaderEpoch: 0 }), ErrorCode.FENCED_LEADER_EPOCH)
  })

  it('writes nothing that is not one good batch', async () => {
    cluster.createTopic('strict', { partitions: 1 })
    const changed = (change: (bytes: Buffer) => void) => {
      const bytes = batch()
      change(bytes)
      return bytes
    }
    const codeOf = async (bytes: Buffer, options = {}) => (await produce('strict', bytes, options)).errorCode
    assert.equal(await codeOf(changed(bytes => bytes.writeUInt8(0, bytes.length - 1))), ErrorCode.NONE)
    assert.equal(await codeOf(changed(bytes => bytes.writeUInt8(9, bytes.length - 2))), ErrorCode.CORRUPT_MESSAGE)
    assert.equal(await codeOf(Buffer.concat([batch(), batch()])), ErrorCode.INVALID_RECORD)
    assert.equal(await codeOf(batch().subarray(0, -1)), ErrorCode.INVALID_RECORD)
    assert.equal(await codeOf(changed(bytes => bytes.writeUInt8(1, 16))), ErrorCode.INVALID_RECORD)
    assert.equal(
      await codeOf(writeBatch([{ value: null, timestamp: 0n }], { attributes: 0x10 })),
      ErrorCode.INVALID_TXN_STATE,
    )
    assert.equal(await codeOf(batch(), { acks: 2 }), ErrorCode.INVALID_REQUIRED_ACKS)
    const large = writeBatch([{ value: Buffer.alloc(1_100_000), timestamp: 0n }])
    assert.equal(await codeOf(large), ErrorCode.MESSAGE_TOO_LARGE)
    assert.equal(cluster.topic('strict').partitions[0]!.log.endOffset, 1n)
  })

  async function metadata(name: string | null, topicId = zeroUuid, allowAutoTopicCreation = true) {
    const body = { ...metadataRequestDefaults(), topics: [{ name, topicId }], allowAutoTopicCreation }
    const { topics } = await askOnce(cluster.node(2), { key: ApiKey.Metadata, version: 13, body })
    return topics[0]!
  }

  it('creates topics that are asked for where both sides want it', async () => {
    assert.equal((await metadata('new', zeroUuid, false)).errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const made = await metadata('new')
    assert.deepEqual([made.errorCode, made.partitions.length], [ErrorCode.NONE, 3])
    assert.equal((await metadata(null, made.topicId)).name, 'new')
    assert.equal((await metadata(null, 'BBBBBBBBBBBBBBBBBBBBBA')).errorCode, ErrorCode.UNKNOWN_TOPIC_ID)
    assert.equal((await metadata('no name')).errorCode, ErrorCode.INVALID_TOPIC_EXCEPTION)
    const careful = await startEmbeddedCluster({ nodes: 1 })
    const body = { ...metadataRequestDefaults(), topics: [{ name: 'new', topicId: zeroUuid }] }
    const { topics } = await askOnce(careful.node(1), { key: ApiKey.Metadata, version: 13, body })
    assert.equal(topics[0]!.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    await careful.stop()
  })

  it('refuses topics that cannot be', async () => {
    const codeOf = async (topic: Partial<ReturnType<typeof creatableTopicDefaults>>, validateOnly = false) => {
      const asked = { ...creatableTopicDefaults(), numPartitions: 1, replicationFactor: 1, ...topic }
      const body = { ...createTopicsRequestDefaults(), topics: [asked], validateOnly }
      const { topics } = await askOnce(cluster.node(3), { key: ApiKey.CreateTopics, version: 7, body })
      return topics[0]!.errorCode
    }
    assert.equal(await codeOf({ name: 'fine' }, true), ErrorCode.NONE)
    assert.equal(await codeOf({ name: 'fine' }), ErrorCode.NONE)
    assert.equal(await codeOf({ name: 'fine' }), ErrorCode.TOPIC_ALREADY_EXISTS)
    assert.equal(await codeOf({ name: '..' }), ErrorCode.INVALID_TOPIC_EXCEPTION)
    assert.equal(await codeOf({ name: 'none', numPartitions: 0 }), ErrorCode.INVALID_PARTITIONS)
    assert.equal(await codeOf({ name: 'many', replicationFactor: 4 }), ErrorCode.INVALID_REPLICATION_FACTOR)
    const assignments = [{ partitionIndex: 0, brokerIds: [2, 9] }]
    assert.equal(await codeOf({ name: 'where', assignments }), ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    assert.equal(
      await codeOf({ name: 'there', assignments: [{ partitionIndex: 0, brokerIds: [2, 3] }] }),
      ErrorCode.NONE,
    )
    assert.deepEqual(cluster.topic('there').partitions[0]!.replicas, [2, 3])
  })

  it('sends who asks the wrong coordinator away', async () => {
    const coordinator = cluster.coordinatorOf('somebody')
    const body = { ...heartbeatRequestDefaults(), groupId: 'somebody', memberId: 'm' }
    for (const node of cluster.nodes) {
      const { errorCode } = await askOnce(node, { key: ApiKey.Heartbeat, version: 4, body })
      assert.equal(errorCode, node === coordinator ? ErrorCode.UNKNOWN_MEMBER_ID : ErrorCode.NOT_COORDINATOR)
    }
  })

  it('spreads coordinators over its nodes, and moves only those of a node that leaves', async () => {
    const growing = await startEmbeddedCluster({ nodes: 3 })
    const groups = Array.from({ length: 60 }, (_, at) => `group-${at}`)
    const coordinators = () => groups.map(group => growing.coordinatorOf(group).id)
    const before = coordinators()
    for (const id of [1, 2, 3]) assert.ok(before.filter(each => each === id).length > 5, `node ${id}`)
    await growing.removeNode(2)
    for (const [at, id] of coordinators().entries()) if (before[at] !== 2) assert.equal(id, before[at])
    await growing.addNode(2)
    assert.deepEqual(coordinators(), before)
    await growing.stop()
  })

  it('describes topics page by page', async () => {
    const small = await startEmbeddedCluster({ nodes: 1 })
    small.createTopic('a', { partitions: 2 })
    small.createTopic('b', { partitions: 3 })
    const seen: string[] = []
    let body = { ...describeTopicPartitionsRequestDefaults(), responsePartitionLimit: 2 }
    for (let pages = 0; pages < 5; pages++) {
      const answer = await askOnce(small.node(1), { key: ApiKey.DescribeTopicPartitions, version: 0, body })
      seen.push(
        ...answer.topics.flatMap(({ name, partitions }) => partitions.map(each => `${name}${each.partitionIndex}`)),
      )
      if (answer.nextCursor === null) break
      body = { ...body, cursor: answer.nextCursor }
    }
    assert.deepEqual(seen, ['a0', 'a1', 'b0', 'b1', 'b2'])
    await small.stop()
  })

  it('tells a client that it reached another node than it meant to (KIP-1242)', async () => {
    const codeOf = async (clusterId: string | null, nodeId: number) => {
      const body = {
        ...apiVersionsRequestDefaults(),
        clientSoftwareName: 'c',
        clientSoftwareVersion: '1',
        clusterId,
        nodeId,
      }
      return (await askOnce(cluster.node(2), { key: ApiKey.ApiVersions, version: 5, body })).errorCode
    }
    assert.equal(await codeOf(cluster.clusterId, 2), ErrorCode.NONE)
    assert.equal(await codeOf(cluster.clusterId, 1), ErrorCode.REBOOTSTRAP_REQUIRED)
    assert.equal(await codeOf('another', 2), ErrorCode.REBOOTSTRAP_REQUIRED)
    assert.equal(await codeOf(null, -1), ErrorCode.NONE)
  })

  it('moves a node to another port without moving what it leads, and advertises what it is told to', async () => {
    const small = await startEmbeddedCluster({
      nodes: 2,
      advertise: (nodeId, port) => ({ host: `node-${nodeId}.test`, port: port - 1 }),
    })
    small.createTopic('t', { partitions: 2, replicationFactor: 1 })
    const leaders = () => small.topic('t').partitions.map(({ leaderId }) => leaderId)
    const before = leaders()
    const old = small.node(2)
    const moved = await small.moveNode(2)
    assert.notEqual(moved.port, old.port)
    assert.deepEqual(leaders(), before)
    await assert.rejects(Asking.connect(old), { code: 'ECONNREFUSED' })
    const { brokers } = await askOnce(moved, { key: ApiKey.Metadata, version: 13, body: metadataRequestDefaults() })
    assert.deepEqual(
      brokers.map(({ nodeId, host, port }) => [nodeId, host, port]),
      [
        [1, 'node-1.test', small.node(1).port - 1],
        [2, 'node-2.test', moved.port - 1],
      ],
    )
    await small.removeNode(2)
    assert.deepEqual(
      leaders(),
      before.map(id => (id === 2 ? -1 : id)),
    )
    await small.addNode(2)
    assert.deepEqual(leaders(), before)
    await small.stop()
  })
})

describe('an embedded cluster that listens with TLS', { timeout: 20_000 }, () => {
  const now = new Date()
  const authority = createRoot({ subject: 'CN=test', now })
  const server = issueServer(authority, { names: ['localhost'], now })
  const client = issueClient(authority, { subject: 'CN=gateway', now })
  let cluster: EmbeddedCluster
  before(async () => {
    const tls = { cert: server.certificate, key: server.key, ca: authority.certificate, requestCert: true }
    cluster = await startEmbeddedCluster({ nodes: 1, tls: { ...tls, rejectUnauthorized: false } })
  })
  after(() => cluster?.stop())

  async function seenTls(options: { cert?: string; key?: string }) {
    const { port } = cluster.node(1)
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: authority.certificate, ...options })
    await once(socket, 'secureConnect')
    const asking = new Asking(socket)
    await asking.ask({ key: ApiKey.Metadata, version: 13, body: metadataRequestDefaults() })
    asking.close()
    return cluster.seen.all().at(-1)!.connection.tls
  }

  it('knows the certificate of its client, and the name it was asked for', async () => {
    assert.deepEqual(await seenTls({ cert: client.certificate, key: client.key }), {
      protocol: 'TLSv1.3',
      subject: 'CN=gateway',
      isAuthorized: true,
      serverName: 'localhost',
    })
    const anonymous = await seenTls({})
    assert.deepEqual([anonymous!.subject, anonymous!.isAuthorized], [undefined, false])
  })

  it('ends connections whose handshake is under way when it stops', async () => {
    const stopping = await startEmbeddedCluster({ nodes: 1, tls: { cert: server.certificate, key: server.key } })
    const asking = await Asking.connect(stopping.node(1))
    await stopping.stop()
    assert.equal(await asking.frame(), undefined)
  })
})
