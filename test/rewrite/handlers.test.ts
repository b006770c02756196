import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Client } from '../../src/pipeline/exchange.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import { ServedApis } from '../../src/pipeline/served-apis.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { allApis, describeApi } from '../../src/protocol/api-table.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  type RequestByKey,
  type ResponseByKey,
} from '../../src/protocol/codec.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { apiVersionsRequestDefaults } from '../../src/protocol/generated/api-versions-request.ts'
import { apiVersionsResponseDefaults } from '../../src/protocol/generated/api-versions-response.ts'
import { describeClusterRequestDefaults } from '../../src/protocol/generated/describe-cluster-request.ts'
import {
  describeClusterBrokerDefaults,
  describeClusterResponseDefaults,
} from '../../src/protocol/generated/describe-cluster-response.ts'
import { fetchRequestDefaults } from '../../src/protocol/generated/fetch-request.ts'
import {
  fetchResponseDefaults,
  fetchResponseNodeEndpointDefaults,
} from '../../src/protocol/generated/fetch-response.ts'
import { findCoordinatorRequestDefaults } from '../../src/protocol/generated/find-coordinator-request.ts'
import {
  coordinatorDefaults,
  findCoordinatorResponseDefaults,
} from '../../src/protocol/generated/find-coordinator-response.ts'
import { metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import {
  metadataResponseBrokerDefaults,
  metadataResponseDefaults,
  metadataResponsePartitionDefaults,
  metadataResponseTopicDefaults,
} from '../../src/protocol/generated/metadata-response.ts'
import { produceRequestDefaults } from '../../src/protocol/generated/produce-request.ts'
import {
  produceResponseDefaults,
  produceResponseNodeEndpointDefaults,
} from '../../src/protocol/generated/produce-response.ts'
import type { SeenBroker } from '../../src/rewrite/facts.ts'
import { createHiddenText } from '../../src/rewrite/hidden-text.ts'
import { createRewrite } from '../../src/rewrite/rewrite.ts'
import { portsAddressBook } from '../../src/topology/address-book.ts'

const versionsOf = (key: number): number[] => {
  const { minVersion, maxVersion } = describeApi(key)!
  return Array.from({ length: maxVersion - minVersion + 1 }, (_, at) => minVersion + at)
}

let clusterId: string | null = 'real-cluster'
const seen: (readonly SeenBroker[])[] = []
const served = new ServedApis()
const rewrite = createRewrite({
  book: portsAddressBook('gateway.example', { first: 9100, count: 10, firstId: 0 }),
  served,
  hidden: createHiddenText(() => ['upstream.internal']),
  clusterId: () => clusterId,
  brokersSeen: brokers => void seen.push(brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port }))),
})
const pipeline = new Pipeline({ served, stages: [rewrite], metrics: { unknownTags: () => undefined } })

interface Way<Key extends ApiKey> {
  readonly key: Key
  readonly version: number
  readonly request: RequestByKey[Key]
  readonly nodeId?: number
}

async function opened<Key extends ApiKey>({ key, version, request, nodeId }: Way<Key>) {
  const client: Client = { connection: 1, listener: 'l', address: 'a:1', ip: 'a', principal: 'User:a', nodeId }
  const chunks = encodeRequest(key, { apiVersion: version, correlationId: 1, clientId: 'c' }, request)
  const result = pipeline.open({ chunks, byteLength: 0 }, client)
  assert.ok('exchange' in result)
  return { exchange: result.exchange, outcome: await pipeline.judgeRequest(result.exchange) }
}

/** What a client gets when a broker answers `response`; the received bytes where nothing was changed. */
async function answered<Key extends ApiKey>(way: Way<Key>, response: ResponseByKey[Key]) {
  const { exchange } = await opened(way)
  const received = encodeResponse(way.key, way.version, 1, response)
  const outcome = await pipeline.judgeResponse(exchange, { chunks: received, byteLength: 0 })
  assert.equal(outcome.kind, 'forward')
  const isChanged = outcome.kind === 'forward' && outcome.changed
  const bytes = Buffer.concat(isChanged ? pipeline.encodeResponse(exchange).chunks : received)
  return { isChanged, body: decodeResponse(way.key, way.version, bytes.subarray(4)).body }
}

describe('Metadata', () => {
  for (const version of versionsOf(ApiKey.Metadata)) {
    test(`v${version}: brokers keep their ids and get our addresses; what has no address here has no leader`, async () => {
      const request = { ...metadataRequestDefaults(), topics: [] }
      const partition = (partitionIndex: number, leaderId: number) => ({
        ...metadataResponsePartitionDefaults(),
        partitionIndex,
        leaderId,
        replicaNodes: [1, 77],
        isrNodes: [1],
      })
      const { body, isChanged } = await answered(
        { key: ApiKey.Metadata, version, request },
        {
          ...metadataResponseDefaults(),
          controllerId: version >= 1 ? 77 : -1,
          brokers: [1, 2, 77].map(nodeId => ({
            ...metadataResponseBrokerDefaults(),
            nodeId,
            host: `b${nodeId}.upstream.internal`,
            port: 5000 + nodeId,
            rack: version >= 1 ? 'r' : null,
          })),
          topics: [
            {
              ...metadataResponseTopicDefaults(),
              name: 't',
              partitions: [partition(0, 1), partition(1, 77), partition(2, -1)],
            },
          ],
        },
      )
      assert.ok(isChanged)
      assert.deepEqual(
        body.brokers.map(({ nodeId, host, port, rack }) => [nodeId, host, port, rack]),
        [1, 2].map(nodeId => [nodeId, 'gateway.example', 9100 + nodeId, version >= 1 ? 'r' : null]),
      )
      assert.equal(body.controllerId, -1)
      assert.deepEqual(
        body.topics[0]!.partitions.map(({ leaderId, errorCode }) => [leaderId, errorCode]),
        [
          [1, 0],
          [-1, ErrorCode.LEADER_NOT_AVAILABLE],
          [-1, 0],
        ],
      )
      assert.deepEqual(
        seen.at(-1)!.map(({ nodeId, port }) => [nodeId, port]),
        [
          [1, 5001],
          [2, 5002],
          [77, 5077],
        ],
      )
    })
  }
})

describe('FindCoordinator', () => {
  for (const version of versionsOf(ApiKey.FindCoordinator)) {
    test(`v${version}: a coordinator is where we say it is, or not available`, async () => {
      const request =
        version <= 3
          ? { ...findCoordinatorRequestDefaults(), key: 'g' }
          : { ...findCoordinatorRequestDefaults(), coordinatorKeys: ['g'] }
      const find = async (nodeId: number, errorCode = 0) => {
        const found = {
          nodeId,
          host: 'b.upstream.internal',
          port: 5000,
          errorCode,
          errorMessage: version >= 1 ? 'ask b.upstream.internal:5000' : '',
        }
        const response =
          version <= 3
            ? { ...findCoordinatorResponseDefaults(), ...found }
            : { ...findCoordinatorResponseDefaults(), coordinators: [{ ...coordinatorDefaults(), key: 'g', ...found }] }
        const { body } = await answered({ key: ApiKey.FindCoordinator, version, request }, response)
        const { host, port, nodeId: id, errorCode: code, errorMessage } = version <= 3 ? body : body.coordinators[0]!
        assert.equal(errorMessage, version >= 1 ? 'ask [address]' : '')
        return [id, host, port, code]
      }
      assert.deepEqual(await find(3), [3, 'gateway.example', 9103, 0])
      assert.deepEqual(await find(77), [-1, '', -1, ErrorCode.COORDINATOR_NOT_AVAILABLE])
      assert.deepEqual(await find(-1, 41), [-1, '', -1, 41])
    })
  }
})

describe('DescribeCluster', () => {
  for (const version of versionsOf(ApiKey.DescribeCluster)) {
    test(`v${version}: brokers with an address here are all there are`, async () => {
      const brokers = [0, 9, 10].map(brokerId => ({
        ...describeClusterBrokerDefaults(),
        brokerId,
        host: 'x.upstream.internal',
        port: 1,
      }))
      const { body } = await answered(
        { key: ApiKey.DescribeCluster, version, request: describeClusterRequestDefaults() },
        { ...describeClusterResponseDefaults(), controllerId: 9, brokers },
      )
      assert.deepEqual(
        body.brokers.map(({ brokerId, host, port }) => [brokerId, host, port]),
        [
          [0, 'gateway.example', 9100],
          [9, 'gateway.example', 9109],
        ],
      )
      assert.equal(body.controllerId, 9)
    })
  }
})

describe('Produce and Fetch', () => {
  for (const version of versionsOf(ApiKey.Fetch)) {
    test(`Fetch v${version}: the received bytes pass; only new leaders’ addresses are ours`, async () => {
      const way = { key: ApiKey.Fetch, version, request: fetchRequestDefaults() }
      assert.equal((await answered(way, fetchResponseDefaults())).isChanged, false)
      if (version < 16) return
      const nodeEndpoints = [1, 77].map(nodeId => ({
        ...fetchResponseNodeEndpointDefaults(),
        nodeId,
        host: 'x.upstream.internal',
        port: 1,
        rack: 'r',
      }))
      const { body } = await answered(way, { ...fetchResponseDefaults(), nodeEndpoints })
      assert.deepEqual(body.nodeEndpoints, [{ nodeId: 1, host: 'gateway.example', port: 9101, rack: 'r' }])
    })
  }

  for (const version of versionsOf(ApiKey.Produce).filter(each => each >= 3)) {
    test(`Produce v${version}: the received bytes pass; only new leaders’ addresses are ours`, async () => {
      const way = { key: ApiKey.Produce, version, request: { ...produceRequestDefaults(), acks: -1 } }
      assert.equal((await answered(way, produceResponseDefaults())).isChanged, false)
      if (version < 10) return
      const nodeEndpoints = [77, 2].map(nodeId => ({
        ...produceResponseNodeEndpointDefaults(),
        nodeId,
        host: 'x.upstream.internal',
        port: 1,
      }))
      const { body } = await answered(way, { ...produceResponseDefaults(), nodeEndpoints })
      assert.deepEqual(body.nodeEndpoints, [{ nodeId: 2, host: 'gateway.example', port: 9102, rack: null }])
    })
  }
})

describe('ApiVersions', () => {
  const everything = allApis.map(({ key, maxVersion }) => ({ apiKey: key, minVersion: 0, maxVersion: maxVersion + 3 }))
  for (const version of versionsOf(ApiKey.ApiVersions)) {
    test(`v${version}: is the intersection of the broker’s and ours`, async () => {
      const request = { ...apiVersionsRequestDefaults(), clientSoftwareName: version >= 3 ? 'x' : '' }
      const apiKeys = [...everything, { apiKey: 999, minVersion: 0, maxVersion: 5 }]
      const { body } = await answered(
        { key: ApiKey.ApiVersions, version, request },
        { ...apiVersionsResponseDefaults(), apiKeys },
      )
      for (const { apiKey, minVersion, maxVersion } of body.apiKeys) {
        const ours = served.versionsOf(apiKey)!
        // KAFKA-18659
        assert.deepEqual([minVersion, maxVersion], [apiKey === ApiKey.Produce ? 0 : ours.min, ours.max], `${apiKey}`)
      }
      assert.equal(body.apiKeys.length, allApis.filter(({ key }) => served.versionsOf(key) !== undefined).length)
    })
  }

  test('an older broker’s limits hold, and an API of which nothing is left is gone', async () => {
    const apiKeys = [
      { apiKey: ApiKey.Metadata, minVersion: 2, maxVersion: 5 },
      { apiKey: ApiKey.Fetch, minVersion: 0, maxVersion: 2 },
      { apiKey: ApiKey.Envelope, minVersion: 0, maxVersion: 0 },
    ]
    const way = { key: ApiKey.ApiVersions, version: 0, request: apiVersionsRequestDefaults() }
    const { body } = await answered(way, { ...apiVersionsResponseDefaults(), apiKeys })
    assert.deepEqual(body.apiKeys, [{ apiKey: ApiKey.Metadata, minVersion: 2, maxVersion: 5 }])
  })

  test('a broker that is too old for the version asked says so in version 0, and so do we', async () => {
    const way = {
      key: ApiKey.ApiVersions,
      version: 4,
      request: { ...apiVersionsRequestDefaults(), clientSoftwareName: 'x' },
    }
    const apiKeys = [{ apiKey: ApiKey.ApiVersions, minVersion: 0, maxVersion: 3 }]
    const { body } = await answered(way, {
      ...apiVersionsResponseDefaults(),
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      apiKeys,
    })
    assert.deepEqual([body.errorCode, body.apiKeys], [ErrorCode.UNSUPPORTED_VERSION, apiKeys])
  })

  for (const [what, cluster, node, port, expected] of [
    ['nothing', null, -1, 3, 'as it is'],
    ['this cluster and the port’s broker', 'real-cluster', 3, 3, 'stripped'],
    ['this cluster and any broker, at the bootstrap port', 'real-cluster', 3, undefined, 'stripped'],
    ['another cluster', 'other', 3, 3, 'mistaken'],
    ['another cluster, at the bootstrap port', 'other', 3, undefined, 'mistaken'],
    ['another broker', 'real-cluster', 4, 3, 'mistaken'],
    ['a cluster without a broker, which is the broker’s to refuse', 'real-cluster', -1, 3, 'as it is'],
    ['a broker without a cluster, which is the broker’s to refuse', null, 3, 3, 'as it is'],
  ] as const) {
    test(`KIP-1242: a client that means ${what} is ${expected}`, async () => {
      const request = { ...apiVersionsRequestDefaults(), clientSoftwareName: 'x', clusterId: cluster, nodeId: node }
      const { outcome, exchange } = await opened({
        key: ApiKey.ApiVersions,
        version: 5,
        request,
        ...(port !== undefined && { nodeId: port }),
      })
      if (expected === 'mistaken') {
        assert.equal(outcome.kind, 'respond')
        assert.equal(
          (outcome as { response: { errorCode: number } }).response.errorCode,
          ErrorCode.REBOOTSTRAP_REQUIRED,
        )
        return
      }
      assert.deepEqual(outcome, { kind: 'forward', changed: expected === 'stripped' })
      const bytes = Buffer.concat(pipeline.encodeRequest(exchange).chunks)
      const { body } = decodeRequest(ApiKey.ApiVersions, bytes.subarray(4))
      assert.deepEqual([body.clusterId, body.nodeId], expected === 'stripped' ? [null, -1] : [cluster, node])
    })
  }

  test('KIP-1242: before the cluster is known, nobody is told that it is another one', async () => {
    clusterId = null
    const request = { ...apiVersionsRequestDefaults(), clientSoftwareName: 'x', clusterId: 'whatever', nodeId: 3 }
    const { outcome } = await opened({ key: ApiKey.ApiVersions, version: 5, request, nodeId: 3 })
    assert.deepEqual(outcome, { kind: 'forward', changed: true })
    clusterId = 'real-cluster'
  })
})
