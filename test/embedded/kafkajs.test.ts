import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs, { type Admin, type Consumer, type Kafka, type KafkaMessage } from 'kafkajs'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'

const timeout = 60_000
const retry = { initialRetryTime: 50, retries: 10 }

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !isSo(); await sleep(20)) {
    assert.ok(Date.now() < deadline, `waited in vain until ${what}`)
  }
}

describe('kafkajs against the embedded cluster', { timeout }, () => {
  let cluster: EmbeddedCluster
  let kafka: Kafka
  let admin: Admin
  const consumers: Consumer[] = []

  before(async () => {
    cluster = await startEmbeddedCluster({ nodes: 3 })
    kafka = new kafkajs.Kafka({ brokers: [...cluster.bootstrap], logLevel: kafkajs.logLevel.NOTHING, retry })
    admin = kafka.admin()
    await admin.connect()
  })
  after(async () => {
    await Promise.all(consumers.map(consumer => consumer.disconnect()))
    await admin?.disconnect()
    await cluster?.stop()
  })

  async function produce(topic: string, values: string[], idempotent = false): Promise<void> {
    const producer = kafka.producer({
      idempotent,
      ...(idempotent ? { maxInFlightRequests: 1 } : {}),
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    const messages = values.map(value => ({ key: `key of ${value}`, value, headers: { about: value } }))
    await producer.send({ topic, messages })
    await producer.disconnect()
  }

  async function join(groupId: string, topic: string): Promise<{ received: KafkaMessage[]; consumer: Consumer }> {
    const consumer = kafka.consumer({
      groupId,
      heartbeatInterval: 100,
      sessionTimeout: 6_000,
      rebalanceTimeout: 6_000,
      maxWaitTimeInMs: 200,
    })
    consumers.push(consumer)
    const received: KafkaMessage[] = []
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => void received.push(message) })
    return { received, consumer }
  }

  const values = (received: KafkaMessage[]) => received.map(({ value }) => String(value)).sort()

  it('creates, lists, describes, grows and deletes topics', async () => {
    await admin.createTopics({ topics: [{ topic: 'made', numPartitions: 4, replicationFactor: 2 }] })
    assert.equal(await admin.createTopics({ topics: [{ topic: 'made' }] }), false)
    assert.ok((await admin.listTopics()).includes('made'))
    await admin.createPartitions({ topicPartitions: [{ topic: 'made', count: 6 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: ['made'] })
    const partitions = topics[0]!.partitions
    assert.equal(partitions.length, 6)
    assert.deepEqual(new Set(partitions.map(({ leader }) => leader)), new Set([1, 2, 3]))
    for (const { replicas, isr } of partitions) assert.deepEqual([replicas.length, isr.length], [2, 2])
    await admin.deleteTopics({ topics: ['made'] })
    assert.ok(!(await admin.listTopics()).includes('made'))
  })

  it('produces and consumes keys, values, headers and timestamps', async () => {
    cluster.createTopic('plain', { partitions: 3 })
    const sent = Array.from({ length: 30 }, (_, at) => `value ${at}`)
    await produce('plain', sent)
    const { received } = await join('plain-group', 'plain')
    await until('all is received', () => received.length >= sent.length)
    assert.deepEqual(values(received), [...sent].sort())
    for (const { key, value, headers, timestamp } of received) {
      assert.equal(String(key), `key of ${value}`)
      assert.equal(String(headers!.about), String(value))
      assert.ok(Math.abs(Date.now() - Number(timestamp)) < timeout)
    }
  })

  it('produces idempotently, with sequences that the cluster keeps', async () => {
    cluster.createTopic('once', { partitions: 1 })
    await produce('once', ['a', 'b'], true)
    const [request] = cluster.seen.of(ApiKey.Produce).slice(-1)
    assert.notEqual(request!.body!.topicData[0]!.partitionData[0]!.records!.toBuffer().readBigInt64BE(43), -1n)
    assert.equal(cluster.topic('once').partitions[0]!.log.endOffset, 2n)
  })

  it('produces each record once where an answer was lost and the producer asks again', async () => {
    cluster.createTopic('lost', { partitions: 1 })
    cluster.misbehave({ api: ApiKey.Produce, kind: 'dropAnswer', times: 1 })
    await produce('lost', ['a', 'b'], true)
    assert.equal(cluster.topic('lost').partitions[0]!.log.endOffset, 2n)
  })

  it('rebalances a group over two members, and back when one leaves', async () => {
    cluster.createTopic('shared', { partitions: 4 })
    const one = await join('shared-group', 'shared')
    const other = await join('shared-group', 'shared')
    const assigned = async () => {
      const { groups } = await admin.describeGroups(['shared-group'])
      const [group] = groups
      return group!.state === 'Stable'
        ? group!.members.map(member => {
            const { assignment } = kafkajs.AssignerProtocol.MemberAssignment.decode(member.memberAssignment)!
            return assignment.shared!.length
          })
        : []
    }
    let shares: number[] = []
    for (const deadline = Date.now() + 20_000; shares.length < 2 && Date.now() < deadline; await sleep(50)) {
      shares = await assigned()
    }
    assert.deepEqual(shares, [2, 2])
    const sent = Array.from({ length: 40 }, (_, at) => `value ${at}`)
    await produce('shared', sent)
    await until('all is received', () => one.received.length + other.received.length >= sent.length)
    assert.deepEqual(values([...one.received, ...other.received]), [...sent].sort())
    assert.ok(one.received.length > 0 && other.received.length > 0)

    await other.consumer.disconnect()
    const before = one.received.length
    const later = Array.from({ length: 8 }, (_, at) => `later ${at}`)
    await produce('shared', later)
    await until('the member left behind has all', () => one.received.length >= before + later.length)
    assert.deepEqual(values(one.received.slice(before)), later)
  })

  it('lists offsets, and the offsets that groups committed', async () => {
    cluster.createTopic('offsets', { partitions: 1 })
    await produce('offsets', ['a', 'b', 'c'])
    const [latest] = await admin.fetchTopicOffsets('offsets')
    assert.deepEqual([latest!.low, latest!.high], ['0', '3'])
    const [future] = await admin.fetchTopicOffsetsByTimestamp('offsets', Date.now() + 60_000)
    assert.equal(future!.offset, '3')
    const { consumer, received } = await join('offsets-group', 'offsets')
    await until('all is received', () => received.length === 3)
    await consumer.disconnect()
    const [committed] = await admin.fetchOffsets({ groupId: 'offsets-group', topics: ['offsets'] })
    assert.deepEqual(committed!.partitions, [{ partition: 0, offset: '3', metadata: null }])
    assert.ok((await admin.listGroups()).groups.some(({ groupId }) => groupId === 'offsets-group'))
    await admin.deleteGroups(['offsets-group'])
    assert.ok(!(await admin.listGroups()).groups.some(({ groupId }) => groupId === 'offsets-group'))
  })

  it('describes the cluster and the configs, which say where brokers listen', async () => {
    const { brokers, clusterId, controller } = await admin.describeCluster()
    assert.equal(clusterId, cluster.clusterId)
    assert.equal(controller, 1)
    assert.deepEqual(
      brokers.map(({ nodeId, host, port }) => `${nodeId} ${host}:${port}`),
      cluster.nodes.map(({ id, host, port }) => `${id} ${host}:${port}`),
    )
    const { resources } = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [{ type: kafkajs.ConfigResourceTypes.BROKER, name: '2' }],
    })
    const listeners = resources[0]!.configEntries.find(({ configName }) => configName === 'advertised.listeners')
    assert.equal(listeners!.configValue, `PLAINTEXT://127.0.0.1:${cluster.node(2).port}`)
  })

  it('follows a leader that moves, and a node that leaves and comes back', async () => {
    cluster.createTopic('moving', { partitions: 1, replicationFactor: 3 })
    const { received } = await join('moving-group', 'moving')
    await produce('moving', ['a'])
    const isReceived = (wanted: string) => values(received).includes(wanted)
    await until('the first is received', () => isReceived('a'))
    const { leaderId } = cluster.topic('moving').partitions[0]!
    const { port } = cluster.node(leaderId)
    await cluster.removeNode(leaderId)
    assert.notEqual(cluster.topic('moving').partitions[0]!.leaderId, leaderId)
    await produce('moving', ['b'])
    await until('the second is received', () => isReceived('b'))
    await cluster.addNode(leaderId, port)
    cluster.moveLeader('moving', 0, leaderId)
    await produce('moving', ['c'])
    await until('the third is received', () => isReceived('c'))
    // Its group was torn down on the way, so it may have read again what it had not committed.
    assert.deepEqual([...new Set(values(received))], ['a', 'b', 'c'])
    assert.equal(cluster.topic('moving').partitions[0]!.log.endOffset, 3n)
  })
})
