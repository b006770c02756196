/** What clients may not ask, and what they must not hear, on real connections. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { allApis, describeApi } from '../../src/protocol/api-table.ts'
import { decodeResponse } from '../../src/protocol/codec.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { apiVersionsRequestDefaults } from '../../src/protocol/generated/api-versions-request.ts'
import { describeClusterRequestDefaults } from '../../src/protocol/generated/describe-cluster-request.ts'
import {
  describeClusterBrokerDefaults,
  describeClusterResponseDefaults,
} from '../../src/protocol/generated/describe-cluster-response.ts'
import {
  fetchRequestDefaults,
  fetchRequestFetchPartitionDefaults,
  fetchRequestFetchTopicDefaults,
} from '../../src/protocol/generated/fetch-request.ts'
import {
  fetchResponseDefaults,
  fetchResponseNodeEndpointDefaults,
} from '../../src/protocol/generated/fetch-response.ts'
import { findCoordinatorRequestDefaults } from '../../src/protocol/generated/find-coordinator-request.ts'
import {
  coordinatorDefaults,
  findCoordinatorResponseDefaults,
} from '../../src/protocol/generated/find-coordinator-response.ts'
import { listOffsetsRequestDefaults } from '../../src/protocol/generated/list-offsets-request.ts'
import { metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import { createRoot, issueServer } from '../../src/tls/certificate-authority.ts'
import { type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import { framed } from '../support/raw-client.ts'
import { startTestGateway, type TestGateway } from '../support/test-gateway.ts'
import { until } from '../support/until.ts'

const interBroker = [4, 5, 6, 7, 52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73, 82, 83, 84, 85, 86, 87]
const metadata = { ...metadataRequestDefaults(), topics: [] }

const actsOnTerminals = (character: string): boolean =>
  character < ' ' || (character >= '\x7f' && character <= '\x9f') || '\u2028\u202e'.includes(character)

/** A request of any key and version, with a body of zeros or none. */
function anyRequest(key: number, version: number, body = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(10)
  header.writeInt16BE(key, 0)
  header.writeInt16BE(version, 2)
  header.writeInt32BE(9, 4)
  header.writeInt16BE(-1, 8)
  return framed(Buffer.concat([header, body]))
}

describe('requests that no client may make', () => {
  let broker: FakeBroker
  let gateway: TestGateway
  before(async () => {
    broker = await startFakeBroker()
    gateway = await startTestGateway({ upstream: { bootstrap: [broker.address] } })
  })
  beforeEach(() => {
    broker.seen.length = 0
    broker.receivedBytes = 0
  })
  after(async () => {
    await gateway.stop()
    await broker.stop()
  })

  test('B-24: brokers’ own requests close the connection, raise the alarm and reach no broker, in any version', async () => {
    let refused = 0
    for (const key of interBroker) {
      for (const version of [-1, 0, 1, 2, 7]) {
        const client = await gateway.connect()
        client.socket.write(anyRequest(key, version, Buffer.alloc(64)))
        await client.expectClosed()
        assert.equal(client.receivedBytes, 0)
        refused++
      }
    }
    assert.equal(broker.receivedBytes, 0)
    assert.equal(await gateway.metric('vkitm_refused_total', { reason: 'inter-broker' }), refused)
    const alarms = gateway.log.lines('request refused, connection closed')
    assert.equal(alarms.length, refused)
    assert.ok(
      alarms.every(
        ({ level, apiKey, details }) => level === 'warn' && apiKey !== undefined && details?.reason === 'inter-broker',
      ),
    )
  })

  test('B-24: a client that is known is no broker, either', async () => {
    const client = await gateway.connect()
    await client.ask(ApiKey.Metadata, 1, metadata)
    client.socket.write(anyRequest(ApiKey.Envelope, 0, Buffer.alloc(64)))
    await client.expectClosed()
    assert.equal(broker.seenOf(ApiKey.Envelope).length, 0)
  })

  test('B-24: what is not served is not advertised', async () => {
    const client = await gateway.connect()
    const { apiKeys } = await client.ask(ApiKey.ApiVersions, 4, {
      ...apiVersionsRequestDefaults(),
      clientSoftwareName: 'x',
      clientSoftwareVersion: '1',
    })
    const advertised = apiKeys.map(({ apiKey }) => apiKey)
    for (const key of [...interBroker, ApiKey.WriteTxnMarkers]) assert.equal(advertised.includes(key as ApiKey), false)
    assert.ok(advertised.includes(ApiKey.Produce) && advertised.length > 60)
    await client.close()
  })

  test('B-00: what has no row is closed and reaches no broker: every key from −1 to 127, below and above its versions', async () => {
    const rows: [number, number][] = []
    for (let key = -1; key <= 127; key++) {
      const api = describeApi(key)
      if (key === ApiKey.ApiVersions) continue
      const isOwn = interBroker.includes(key) || key === ApiKey.WriteTxnMarkers
      if (api === undefined || isOwn) rows.push([key, 0], [key, 3])
      else rows.push([key, api.minVersion - 1], [key, (key === ApiKey.AddPartitionsToTxn ? 3 : api.maxVersion) + 1])
    }
    for (let at = 0; at < rows.length; at += 32) {
      await Promise.all(
        rows.slice(at, at + 32).map(async ([key, version]) => {
          const client = await gateway.connect()
          client.socket.write(anyRequest(key, version, Buffer.alloc(64)))
          await client.expectClosed()
          assert.equal(client.receivedBytes, 0, `${key} v${version}`)
        }),
      )
    }
    assert.equal(broker.receivedBytes, 0)
    assert.ok(rows.length > 200 && allApis.length > 80)
  })

  const fetchTopics = [
    {
      ...fetchRequestFetchTopicDefaults(),
      topic: 't',
      partitions: [0, 3].map(partition => ({ ...fetchRequestFetchPartitionDefaults(), partition })),
    },
  ]

  test('B-05: a fetch as a replica is denied as Kafka would, and reaches no broker', async () => {
    const client = await gateway.connect()
    const old = await client.ask(ApiKey.Fetch, 11, { ...fetchRequestDefaults(), replicaId: 1, topics: fetchTopics })
    assert.deepEqual(
      old.responses[0]!.partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]),
      [0, 3].map(index => [index, ErrorCode.TOPIC_AUTHORIZATION_FAILED]),
    )
    const topicId = 'AAAAAAAAAAAAAAAAAAAABA'
    const topics = fetchTopics.map(topic => ({ ...topic, topic: '', topicId }))
    const replicaState = { replicaId: 1, replicaEpoch: 5n }
    const recent = await client.ask(ApiKey.Fetch, 17, { ...fetchRequestDefaults(), replicaState, topics })
    assert.equal(recent.responses[0]!.topicId, topicId)
    assert.ok(
      recent.responses[0]!.partitions.every(({ errorCode }) => errorCode === ErrorCode.TOPIC_AUTHORIZATION_FAILED),
    )
    assert.equal(broker.seen.length, 0)
    await client.close()
  })

  test('B-05: a client’s replica id is never forwarded', async () => {
    broker.answer(ApiKey.Fetch, () => fetchResponseDefaults())
    const client = await gateway.connect()
    await client.ask(ApiKey.Fetch, 11, { ...fetchRequestDefaults(), replicaId: -2, topics: fetchTopics })
    client.send(ApiKey.ListOffsets, 5, { ...listOffsetsRequestDefaults(), replicaId: 7 })
    await until('both are forwarded', () => broker.seen.length === 2)
    assert.deepEqual(
      broker.seen.map(({ body }) => (body as { replicaId: number }).replicaId),
      [-1, -1],
    )
    await client.close()
  })

  test('A-26: what clients call themselves is data in the log and no label of a metric', async () => {
    const evil = 'evil"\r\n\u001b[31m{"level":"info"}\u2028\u202e'
    const client = await gateway.connect({ clientId: evil })
    await client.ask(ApiKey.ApiVersions, 3, {
      ...apiVersionsRequestDefaults(),
      clientSoftwareName: evil,
      clientSoftwareVersion: evil,
    })
    client.socket.write(client.request(ApiKey.Metadata, 1, metadata).subarray(0, 20))
    client.socket.write(Buffer.alloc(100, 0xff))
    await client.close()
    const refused = await gateway.connect({ clientId: evil })
    refused.socket.write(anyRequest(ApiKey.Envelope, 0))
    await refused.expectClosed()
    for (const text of gateway.log.texts) assert.equal([...text.trimEnd()].some(actsOnTerminals), false, text)
    assert.equal((await gateway.page('/metrics')).text.includes('evil'), false)
  })
})

describe('addresses that no client may hear', () => {
  const hostName = 'localhost'
  const now = new Date()
  const root = createRoot({ subject: 'CN=root', now })
  const identity = issueServer(root, { names: ['gateway.test'], now })

  test('B-35: no byte that clients get names a broker’s host or port, over TLS and through every broker’s port', async t => {
    const broker = await startFakeBroker()
    t.after(() => broker.stop())
    const at = (nodeId: number) => ({ nodeId, host: hostName, port: broker.port })
    broker.brokers = [at(0), at(1)]
    broker.answer(ApiKey.FindCoordinator, () => ({
      ...findCoordinatorResponseDefaults(),
      coordinators: [{ ...coordinatorDefaults(), key: 'g', ...at(1) }],
    }))
    broker.answer(ApiKey.DescribeCluster, () => ({
      ...describeClusterResponseDefaults(),
      brokers: [{ ...describeClusterBrokerDefaults(), brokerId: 1, host: hostName, port: broker.port }],
      errorMessage: `${hostName}:${broker.port} is where I am`,
    }))
    broker.answer(ApiKey.Fetch, () => ({
      ...fetchResponseDefaults(),
      nodeEndpoints: [{ ...fetchResponseNodeEndpointDefaults(), ...at(1) }],
    }))
    const gateway = await startTestGateway({
      upstream: { bootstrap: [{ host: hostName, port: broker.port }] },
      listener: {
        tls: {
          identity: {
            kind: 'pem',
            certificate: { path: 'gateway.pem', content: Buffer.from(identity.chain.join('')) },
            key: { path: 'gateway.key', content: Buffer.from(identity.key) },
          },
          clientAuth: 'none',
          minVersion: 'TLSv1.2',
          crl: [],
        },
      },
    })
    t.after(() => gateway.stop())
    for (const port of [gateway.port, gateway.portOf(0), gateway.portOf(1)]) {
      const client = await gateway.connect({ port, tls: { ca: root.certificate, servername: 'gateway.test' } })
      const { brokers } = await client.ask(ApiKey.Metadata, 12, metadata)
      assert.deepEqual(
        brokers.map(each => [each.nodeId, each.host, each.port]),
        [0, 1].map(id => [id, '127.0.0.1', gateway.portOf(id)]),
      )
      const { coordinators } = await client.ask(ApiKey.FindCoordinator, 4, {
        ...findCoordinatorRequestDefaults(),
        coordinatorKeys: ['g'],
      })
      assert.equal(coordinators[0]!.port, gateway.portOf(1))
      const cluster = await client.ask(ApiKey.DescribeCluster, 1, describeClusterRequestDefaults())
      assert.deepEqual([cluster.brokers[0]!.port, cluster.errorMessage], [gateway.portOf(1), '[address] is where I am'])
      const fetched = await client.ask(ApiKey.Fetch, 17, fetchRequestDefaults())
      assert.equal(fetched.nodeEndpoints[0]!.port, gateway.portOf(1))
      for (const frame of client.frames) {
        assert.equal(frame.includes(hostName), false)
        assert.equal(frame.includes(String(broker.port)), false)
      }
      assert.ok(decodeResponse(ApiKey.Metadata, 12, client.frames[0]!.subarray(4)))
      await client.close()
    }
  })
})
