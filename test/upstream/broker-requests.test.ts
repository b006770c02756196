import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import { metadataResponseTopicDefaults } from '../../src/protocol/generated/metadata-response.ts'
import { BrokerRequests, gatewayClientId } from '../../src/upstream/broker-requests.ts'
import { ByteBudget } from '../../src/wire/byte-budget.ts'
import { ReceiveBuffers } from '../../src/wire/receive-buffers.ts'
import { encoded, type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import { framed } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const body = { ...metadataRequestDefaults(), topics: [] }

describe('BrokerRequests', () => {
  let broker: FakeBroker
  let requests: BrokerRequests
  let budget: ByteBudget

  beforeEach(async () => {
    broker = await startFakeBroker()
    budget = new ByteBudget(1024 * 1024)
    requests = new BrokerRequests({
      socket: connect(broker.address),
      buffers: new ReceiveBuffers(),
      budget,
      frameBytesMax: 1024 * 1024,
      answerTimeoutMs: 300,
    })
  })
  afterEach(async () => {
    requests.close()
    await broker.stop()
  })

  test('asks under the gateway’s own client id, and gives back what the answers held', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => requests.ask(ApiKey.Metadata, 4, body)))
    assert.ok(answers.every(({ clusterId }) => clusterId === 'fake-cluster'))
    assert.deepEqual(
      broker.ownSeen.map(({ header }) => header.clientId),
      Array(3).fill(gatewayClientId),
    )
    assert.equal(budget.inUseBytes, 0)
  })

  test('an answer that does not come fails at the deadline and closes the connection', async () => {
    broker.answer(ApiKey.Metadata, () => undefined)
    await assert.rejects(requests.ask(ApiKey.Metadata, 4, body), { code: 'VKITM_UPSTREAM_SILENT' })
    await until('it is closed', () => broker.sockets.size === 0)
    await assert.rejects(requests.ask(ApiKey.Metadata, 4, body), { code: 'VKITM_UPSTREAM_SILENT' })
  })

  test('the end of the connection fails everything that waits', async () => {
    broker.answer(ApiKey.Metadata, (_, { socket }) => {
      socket.destroy()
      return undefined
    })
    const asked = [requests.ask(ApiKey.Metadata, 4, body), requests.ask(ApiKey.Metadata, 4, body)]
    for (const each of await Promise.allSettled(asked)) assert.equal(each.status, 'rejected')
  })

  test('an answer that cannot be decoded, or is another request’s, is a failure and holds nothing', async () => {
    broker.answer(ApiKey.Metadata, (_, { header }) =>
      framed(Buffer.concat([encoded(header, { ...emptyMetadata }).subarray(4), Buffer.of(0)])),
    )
    await assert.rejects(requests.ask(ApiKey.Metadata, 4, body), { code: 'VKITM_WIRE' })
    assert.equal(requests.isClosed, false)
    broker.answer(ApiKey.Metadata, (_, { header }) => encoded({ ...header, correlationId: 99 }, { ...emptyMetadata }))
    await assert.rejects(requests.ask(ApiKey.Metadata, 4, body), { code: 'VKITM_WIRE' })
    assert.equal(budget.inUseBytes, 0)
    // Whose answer the next one would be nobody knows.
    assert.equal(requests.isClosed, true)
  })

  test('an answer may have as many items as one that a client asked for', async () => {
    const topics = new Array(1_000_001).fill({ ...metadataResponseTopicDefaults(), name: '' })
    broker.answer(ApiKey.Metadata, (_, { header }) => encoded(header, { ...emptyMetadata, topics }))
    const patient = new BrokerRequests({
      socket: connect(broker.address),
      buffers: new ReceiveBuffers(),
      budget,
      frameBytesMax: 64 * 1024 * 1024,
      answerTimeoutMs: 60_000,
    })
    assert.equal((await patient.ask(ApiKey.Metadata, 4, body)).topics.length, topics.length)
    patient.close()
  })
})

const emptyMetadata = {
  throttleTimeMs: 0,
  brokers: [],
  clusterId: null,
  controllerId: -1,
  topics: [],
  clusterAuthorizedOperations: -2147483648,
  errorCode: 0,
}
