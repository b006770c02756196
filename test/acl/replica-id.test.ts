import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createReplicaGuard } from '../../src/acl/replica-id.ts'
import type { Client } from '../../src/pipeline/exchange.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import { ServedApis } from '../../src/pipeline/served-apis.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { describeApi } from '../../src/protocol/api-table.ts'
import { decodeRequest, decodeResponse, encodeRequest } from '../../src/protocol/codec.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import {
  type FetchRequest,
  fetchRequestDefaults,
  fetchRequestFetchPartitionDefaults,
  fetchRequestFetchTopicDefaults,
} from '../../src/protocol/generated/fetch-request.ts'
import { listOffsetsRequestDefaults } from '../../src/protocol/generated/list-offsets-request.ts'
import { offsetForLeaderEpochRequestDefaults } from '../../src/protocol/generated/offset-for-leader-epoch-request.ts'

const client: Client = Object.freeze({
  connection: 1,
  listener: 'l',
  address: 'a:1',
  ip: 'a',
  principal: 'User:a',
  nodeId: undefined,
})
const pipeline = new Pipeline({
  served: new ServedApis(),
  stages: [createReplicaGuard()],
  metrics: { unknownTags: () => undefined },
})

/** What becomes of a request on the wire. */
async function judge<Key extends ApiKey>(key: Key, apiVersion: number, body: Parameters<typeof encodeRequest<Key>>[2]) {
  const chunks = encodeRequest(key, { apiVersion, correlationId: 3, clientId: 'c' }, body)
  const result = pipeline.open({ chunks, byteLength: 0 }, client)
  assert.ok('exchange' in result)
  const outcome = await pipeline.judgeRequest(result.exchange)
  return { outcome, exchange: result.exchange, received: Buffer.concat(chunks) }
}

const topics = ['one', 'two'].map(topic => ({
  ...fetchRequestFetchTopicDefaults(),
  topic,
  partitions: [0, 7].map(partition => ({ ...fetchRequestFetchPartitionDefaults(), partition })),
}))

/** Where a version carries the replica id. */
function fetchAs(replicaId: number, version: number): FetchRequest {
  const body = { ...fetchRequestDefaults(), topics: version >= 13 ? [] : topics }
  return version >= 15 ? { ...body, replicaState: { replicaId, replicaEpoch: 1n } } : { ...body, replicaId }
}

const versionsOf = (key: number): number[] => {
  const { minVersion, maxVersion } = describeApi(key)!
  return Array.from({ length: maxVersion - minVersion + 1 }, (_, at) => minVersion + at)
}

describe('a client is never a replica', () => {
  for (const version of versionsOf(ApiKey.Fetch)) {
    test(`B-05: Fetch v${version} as a replica is answered here, with TOPIC_AUTHORIZATION_FAILED for every partition`, async () => {
      for (const replicaId of [0, 1, 0x7fffffff]) {
        const { outcome, exchange } = await judge(ApiKey.Fetch, version, fetchAs(replicaId, version))
        assert.equal(outcome.kind, 'respond')
        exchange.response = (outcome as { response: unknown }).response
        const { chunks } = pipeline.encodeResponse(exchange)
        const { body } = decodeResponse(ApiKey.Fetch, version, Buffer.concat(chunks).subarray(4))
        const partitions = body.responses.flatMap(response => response.partitions)
        assert.deepEqual(
          partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]),
          version >= 13 ? [] : [0, 7, 0, 7].map(index => [index, ErrorCode.TOPIC_AUTHORIZATION_FAILED]),
        )
        assert.ok(partitions.every(({ records }) => records?.byteLength === 0))
      }
    })

    test(`B-05: Fetch v${version} as the debugging replica is forwarded as a consumer's`, async () => {
      const { outcome, exchange } = await judge(ApiKey.Fetch, version, fetchAs(-2, version))
      assert.deepEqual(outcome, { kind: 'forward', changed: true })
      const bytes = Buffer.concat(pipeline.encodeRequest(exchange).chunks)
      const { body } = decodeRequest(ApiKey.Fetch, bytes.subarray(4))
      assert.deepEqual([body.replicaId, body.replicaState], [-1, { replicaId: -1, replicaEpoch: -1n }])
    })

    test(`B-05: Fetch v${version} of a consumer passes as it came`, async () => {
      const consumer = { ...fetchAs(-1, version), replicaState: fetchRequestDefaults().replicaState }
      assert.deepEqual((await judge(ApiKey.Fetch, version, consumer)).outcome, { kind: 'forward', changed: false })
      // A replica's epoch without a replica is no consumer's.
      const { outcome } = await judge(ApiKey.Fetch, version, fetchAs(-1, version))
      assert.deepEqual(outcome, { kind: 'forward', changed: version >= 15 })
    })
  }

  test('B-05: Fetch v13 and later names topics by id, and so does the answer', async () => {
    const topicId = 'AAAAAAAAAAAAAAAAAAAABA'
    const body = { ...fetchAs(4, 17), topics: topics.map(topic => ({ ...topic, topic: '', topicId })) }
    const { outcome } = await judge(ApiKey.Fetch, 17, body)
    const { responses } = (outcome as { response: { responses: { topicId: string }[] } }).response
    assert.deepEqual(
      responses.map(response => response.topicId),
      [topicId, topicId],
    )
  })

  for (const [key, body] of [
    [ApiKey.ListOffsets, listOffsetsRequestDefaults()],
    [ApiKey.OffsetForLeaderEpoch, offsetForLeaderEpochRequestDefaults()],
  ] as const) {
    for (const version of versionsOf(key)) {
      // OffsetForLeaderEpoch has the field from version 3 on.
      const carries = key === ApiKey.ListOffsets || version >= 3
      test(`B-05: ${describeApi(key)!.name} v${version} is always forwarded as a consumer's`, async () => {
        for (const replicaId of carries ? [-3, -2, 0, 5] : []) {
          const { outcome, exchange } = await judge(key, version, { ...body, replicaId } as never)
          assert.deepEqual(outcome, { kind: 'forward', changed: true })
          const bytes = Buffer.concat(pipeline.encodeRequest(exchange).chunks)
          assert.equal((decodeRequest(key, bytes.subarray(4)).body as { replicaId: number }).replicaId, -1)
        }
        const { outcome } = await judge(key, version, { ...body, replicaId: carries ? -1 : body.replicaId } as never)
        assert.deepEqual(outcome, { kind: 'forward', changed: false })
      })
    }
  }
})
