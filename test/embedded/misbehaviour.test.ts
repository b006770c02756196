import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { encodeResponse } from '../../src/protocol/codec.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { apiVersionsRequestDefaults } from '../../src/protocol/generated/api-versions-request.ts'
import { metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import { metadataResponseDefaults } from '../../src/protocol/generated/metadata-response.ts'
import { produceRequestDefaults } from '../../src/protocol/generated/produce-request.ts'
import { shareFetchRequestDefaults } from '../../src/protocol/generated/share-fetch-request.ts'
import { shareFetchResponseDefaults } from '../../src/protocol/generated/share-fetch-response.ts'
import { writeBatch } from '../../src/records/write-batch.ts'
import { Span } from '../../src/wire/span.ts'
import { Asking, askOnce, type Question } from './asking.ts'

const aboutTopic = (name: string): Question<typeof ApiKey.Metadata> => ({
  key: ApiKey.Metadata,
  version: 13,
  body: { ...metadataRequestDefaults(), topics: [{ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }] },
})

describe('an embedded node that is told to', { timeout: 20_000 }, () => {
  let cluster: EmbeddedCluster
  before(async () => {
    cluster = await startEmbeddedCluster({
      nodes: 2,
      versions: { ShareFetch: [1, 2], Fetch: [4, 11], ListGroups: 'absent' },
    })
    cluster.createTopic('t', { partitions: 2 })
  })
  after(() => cluster?.stop())

  const address = () => cluster.node(1)

  function produce(index: number, acks = -1): Question<typeof ApiKey.Produce> {
    const records = Span.of(writeBatch([{ value: Buffer.from('v'), timestamp: 0n }]))
    const topicData = [{ name: '', topicId: cluster.topic('t').id, partitionData: [{ index, records }] }]
    return { key: ApiKey.Produce, version: 13, body: { ...produceRequestDefaults(), acks, topicData } }
  }

  /** The partition that node 1 leads. */
  const led = () => cluster.topic('t').partitions.find(({ leaderId }) => leaderId === 1)!

  it('drops the connection does nothing else', async () => {
    cluster.misbehave({ api: ApiKey.Produce, kind: 'drop', times: 1 })
    await assert.rejects(askOnce(address(), produce(led().index)), /closed/)
    assert.equal(led().log.endOffset, 0n)
  })

  it('drops the answer has written the record', async () => {
    const before = led().log.endOffset
    cluster.misbehave({ api: ApiKey.Produce, kind: 'dropAnswer', times: 1 })
    await assert.rejects(askOnce(address(), produce(led().index)), /closed/)
    assert.equal(led().log.endOffset, before + 1n)
  })

  it('fails says so wherever its answer can, and writes nothing', async () => {
    const before = led().log.endOffset
    cluster.misbehave({ api: ApiKey.Produce, kind: 'error', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, times: 1 })
    const { responses } = await askOnce(address(), produce(led().index))
    assert.equal(responses[0]!.partitionResponses[0]!.errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
    assert.equal(led().log.endOffset, before)
    const end = cluster.misbehave({ api: ApiKey.Metadata, kind: 'error', errorCode: ErrorCode.LEADER_NOT_AVAILABLE })
    const { topics } = await askOnce(address(), aboutTopic('t'))
    assert.deepEqual(
      topics[0]!.partitions.map(({ errorCode }) => errorCode),
      [ErrorCode.LEADER_NOT_AVAILABLE, ErrorCode.LEADER_NOT_AVAILABLE],
    )
    end()
    assert.equal((await askOnce(address(), aboutTopic('t'))).topics[0]!.partitions[0]!.errorCode, ErrorCode.NONE)
  })

  it('deny its leadership names the leader and its address, as it does where it really moved', async () => {
    const isHinted = async (leaderId: number) => {
      const { responses, nodeEndpoints } = await askOnce(address(), produce(led().index))
      const [partition] = responses[0]!.partitionResponses
      assert.equal(partition!.errorCode, ErrorCode.NOT_LEADER_OR_FOLLOWER)
      assert.equal(partition!.currentLeader.leaderId, leaderId)
      const { port } = cluster.node(leaderId)
      assert.deepEqual(nodeEndpoints, [{ nodeId: leaderId, host: '127.0.0.1', port, rack: null }])
    }
    cluster.misbehave({ api: ApiKey.Produce, nodeId: 1, kind: 'wrongLeader', times: 1 })
    await isHinted(1)
    const other = cluster.topic('t').partitions.find(({ leaderId }) => leaderId === 2)!
    const { responses } = await askOnce(address(), produce(other.index))
    assert.equal(responses[0]!.partitionResponses[0]!.currentLeader.leaderId, 2)
  })

  it('wait, or be silent, holds up what follows on the connection and nothing else', async () => {
    cluster.misbehave({ api: ApiKey.Metadata, kind: 'delay', ms: 200, times: 1 })
    const asking = await Asking.connect(address())
    const started = performance.now()
    await asking.ask(aboutTopic('t'))
    assert.ok(performance.now() - started >= 190)
    cluster.misbehave({ api: ApiKey.Metadata, kind: 'silence', times: 1 })
    asking.send(aboutTopic('t'))
    asking.send({ ...aboutTopic('t'), correlationId: 2 })
    const silent = Promise.race([asking.frame(), new Promise(resolve => setTimeout(resolve, 100, 'silence'))])
    assert.equal((await askOnce(address(), aboutTopic('t'))).topics.length, 1)
    assert.equal(await silent, 'silence')
    asking.close()
  })

  it('answer something else does so, in messages or in bytes', async () => {
    const answer = { ...metadataResponseDefaults(), brokers: [{ nodeId: 9, host: 'elsewhere', port: 1, rack: null }] }
    cluster.misbehave({ api: ApiKey.Metadata, kind: 'answer', answer: () => answer, times: 1 })
    assert.deepEqual((await askOnce(address(), aboutTopic('t'))).brokers, answer.brokers)
    const bytes = Buffer.concat(encodeResponse(ApiKey.Metadata, 13, 77, answer))
    cluster.misbehave({ api: ApiKey.Metadata, kind: 'answer', answer: () => bytes, times: 1 })
    const asking = await Asking.connect(address())
    asking.send(aboutTopic('t'))
    assert.equal((await asking.frame())?.readInt32BE(0), 77)
    asking.close()
    cluster.misbehave({
      api: ApiKey.Metadata,
      kind: 'amend',
      times: 1,
      amend: (body, { header }) => {
        body.brokers[0]!.host = `${header.clientId}.test`
      },
    })
    assert.equal((await askOnce(address(), aboutTopic('t'))).brokers[0]!.host, 'asking.test')
    assert.equal((await askOnce(address(), aboutTopic('t'))).brokers[0]!.host, '127.0.0.1')
  })

  it('answer for an API it has no handler for does so', async () => {
    const question = { key: ApiKey.ShareFetch, version: 1, body: shareFetchRequestDefaults() }
    await assert.rejects(askOnce(address(), question), /closed/)
    const answer = () => ({ ...shareFetchResponseDefaults(), errorCode: ErrorCode.SHARE_SESSION_NOT_FOUND })
    cluster.misbehave({ api: ApiKey.ShareFetch, kind: 'answer', answer, times: 1 })
    assert.equal((await askOnce(address(), question)).errorCode, ErrorCode.SHARE_SESSION_NOT_FOUND)
  })

  it('cut its answer short, lie about its length or never end it does so', async () => {
    cluster.misbehave({ api: ApiKey.Metadata, kind: 'truncate', bytes: 10, times: 1 })
    const cut = await Asking.connect(address())
    cut.send(aboutTopic('t'))
    const [received] = await once(cut.socket, 'data')
    assert.equal(received.length, 10)
    assert.equal(await cut.frame(), undefined)

    cluster.misbehave({ api: ApiKey.Metadata, kind: 'oversize', bytes: 0x7fffffff, times: 1 })
    const lying = await Asking.connect(address())
    lying.socket.removeAllListeners('data')
    lying.send(aboutTopic('t'))
    const [prefix] = await once(lying.socket, 'data')
    assert.equal(prefix.readInt32BE(0), 0x7fffffff)
    lying.close()

    cluster.misbehave({ api: ApiKey.Metadata, kind: 'endless', times: 1 })
    const endless = await Asking.connect(address())
    endless.socket.removeAllListeners('data')
    endless.send(aboutTopic('t'))
    let bytes = 0
    for await (const chunk of endless.socket) {
      bytes += chunk.length
      if (bytes > 5_000_000) break
    }
    assert.ok(bytes > 5_000_000)
  })

  it('apply a rule to some requests leaves the others alone', async () => {
    const end = cluster.misbehave({
      api: ApiKey.Metadata,
      nodeId: 2,
      when: ({ body }) => body!.topics![0]!.name === 't',
      kind: 'drop',
    })
    await askOnce(cluster.node(1), aboutTopic('t'))
    await askOnce(cluster.node(2), aboutTopic('other'))
    await assert.rejects(askOnce(cluster.node(2), aboutTopic('t')), /closed/)
    end()
    await askOnce(cluster.node(2), aboutTopic('t'))
  })

  it('play an older cluster says so, refuses what it does not serve, and names its ApiVersions to who asks too new', async () => {
    const versions = { key: ApiKey.ApiVersions, version: 5, body: { ...apiVersionsRequestDefaults(), clusterId: null } }
    const { apiKeys } = await askOnce(address(), versions)
    const ranges = new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]))
    assert.deepEqual(ranges.get(ApiKey.Fetch), [4, 11])
    assert.deepEqual(ranges.get(ApiKey.Produce), [0, 13])
    assert.equal(ranges.has(ApiKey.ListGroups), false)
    const asking = await Asking.connect(address())
    // A version nobody knows yet; its header has tagged fields, as that of every version since 3.
    asking.socket.write(Buffer.from('0000000b' + '0012' + '0009' + '00000005' + 'ffff' + '00', 'hex'))
    assert.equal((await asking.frame())?.toString('hex'), '00000005' + '0023' + '00000001' + '0012' + '0000' + '0005')
    asking.socket.write(Buffer.from('0000000a' + '0010' + '0000' + '00000006' + 'ffff', 'hex'))
    assert.equal(await asking.frame(), undefined)
    assert.equal(cluster.seen.all().at(-1)!.header.apiKey, ApiKey.ListGroups)
    assert.equal(cluster.seen.all().at(-1)!.body, undefined)
  })

  it('take no answer for acks=0 gets none, and hangs up where it failed', async () => {
    const asking = await Asking.connect(address())
    const before = led().log.endOffset
    asking.send(produce(led().index, 0))
    const { topics } = await asking.ask({ ...aboutTopic('t'), correlationId: 2 })
    assert.equal(topics.length, 1)
    assert.equal(led().log.endOffset, before + 1n)
    asking.send(produce(99, 0))
    assert.equal(await asking.frame(), undefined)
  })

  it('be asked keeps what it was asked, to the byte', async () => {
    cluster.seen.clear()
    await askOnce(cluster.node(2), { ...aboutTopic('seen'), correlationId: 41 })
    const [request, ...others] = cluster.seen.of(ApiKey.Metadata)
    assert.deepEqual(others, [])
    assert.equal(request!.connection.nodeId, 2)
    assert.deepEqual(request!.header, { apiKey: 3, apiVersion: 13, correlationId: 41, clientId: 'asking' })
    assert.equal(request!.body!.topics![0]!.name, 'seen')
    assert.equal(request!.bytes.length, 4 + request!.bytes.readInt32BE(0))
    assert.ok(request!.bytes.includes('seen'))
  })
})
