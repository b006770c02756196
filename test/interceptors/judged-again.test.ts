/** What interceptors may not do for a client, in whole gateways in front of a broker that notes what it got. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { judgedAgain } from '../../src/interceptors/judged-again.ts'
import { type ApiHandler, changed, respond, type Stage, unchanged } from '../../src/pipeline/stage.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import type { RequestByKey, ResponseByKey } from '../../src/protocol/codec.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import {
  fetchRequestDefaults,
  fetchRequestFetchPartitionDefaults,
  fetchRequestFetchTopicDefaults,
  fetchRequestForgottenTopicDefaults,
} from '../../src/protocol/generated/fetch-request.ts'
import {
  fetchableTopicResponseDefaults,
  fetchResponseDefaults,
  fetchResponsePartitionDataDefaults,
} from '../../src/protocol/generated/fetch-response.ts'
import {
  partitionProduceDataDefaults,
  produceRequestDefaults,
  topicProduceDataDefaults,
} from '../../src/protocol/generated/produce-request.ts'
import {
  partitionProduceResponseDefaults,
  produceResponseDefaults,
  topicProduceResponseDefaults,
} from '../../src/protocol/generated/produce-response.ts'
import { writeBatch } from '../../src/records/write-batch.ts'
import { Span } from '../../src/wire/span.ts'
import { type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startTestGateway, type TestGateway } from '../support/test-gateway.ts'

type ProduceRequest = RequestByKey[typeof ApiKey.Produce]
type ProduceResponse = ResponseByKey[typeof ApiKey.Produce]
type FetchRequest = RequestByKey[typeof ApiKey.Fetch]
type FetchResponse = ResponseByKey[typeof ApiKey.Fetch]

const allow = (operation: string, ...topics: string[]): string[] =>
  topics.map(topic => `p, User:ANONYMOUS, topic, ${topic}, ${operation}, allow`)

const records = Span.of(writeBatch([{ value: Buffer.from('x'), timestamp: 0n }]))

function produceTo(topics: readonly string[], acks = -1): ProduceRequest {
  return {
    ...produceRequestDefaults(),
    acks,
    timeoutMs: 1_000,
    topicData: topics.map(name => ({
      ...topicProduceDataDefaults(),
      name,
      partitionData: [{ ...partitionProduceDataDefaults(), index: 0, records }],
    })),
  }
}

const produceErrors = ({ responses }: ProduceResponse): Record<string, number> =>
  Object.fromEntries(responses.map(({ name, partitionResponses }) => [name, partitionResponses[0]!.errorCode]))

const fetchErrors = ({ responses }: FetchResponse): Record<string, number> =>
  Object.fromEntries(responses.map(({ topic, partitions }) => [topic, partitions[0]!.errorCode]))

function fetchFrom(...topics: string[]): FetchRequest {
  return {
    ...fetchRequestDefaults(),
    maxWaitMs: 0,
    maxBytes: 1_000,
    sessionEpoch: 0,
    topics: topics.map(topic => ({
      ...fetchRequestFetchTopicDefaults(),
      topic,
      partitions: [{ ...fetchRequestFetchPartitionDefaults(), partition: 0, partitionMaxBytes: 1_000 }],
    })),
  }
}

/** Clients say `from` where the cluster says `to`. */
function renaming(from: string, to: string): Stage {
  const rename = (name: string, one: string, other: string): string => (name === one ? other : name)
  const produce: ApiHandler<ProduceRequest, ProduceResponse> = {
    request({ topicData }) {
      for (const topic of topicData) topic.name = rename(topic.name, from, to)
      return changed
    },
    response({ responses }) {
      for (const topic of responses) topic.name = rename(topic.name, to, from)
      return changed
    },
  }
  const fetch: ApiHandler<FetchRequest, FetchResponse> = {
    request({ topics, forgottenTopicsData }) {
      for (const topic of [...topics, ...forgottenTopicsData]) topic.topic = rename(topic.topic, from, to)
      return changed
    },
    response({ responses }) {
      for (const topic of responses) topic.topic = rename(topic.topic, to, from)
      return changed
    },
  }
  const handlers = new Map<number, ApiHandler>([
    [ApiKey.Produce, produce as ApiHandler],
    [ApiKey.Fetch, fetch as ApiHandler],
  ])
  return { name: `${from} is ${to}`, handler: apiKey => handlers.get(apiKey) }
}

const onProduce = (request: (body: ProduceRequest) => ReturnType<NonNullable<ApiHandler['request']>>): Stage => ({
  name: 'on Produce',
  handler: apiKey => (apiKey === ApiKey.Produce ? ({ request } as ApiHandler) : undefined),
})

describe('what an interceptor makes of a request', () => {
  let broker: FakeBroker
  let gateway: TestGateway
  let client: RawClient

  async function start(policy: readonly string[], ...interceptors: Stage[]): Promise<void> {
    gateway = await startTestGateway({ upstream: { bootstrap: [broker.address] }, policy, interceptors })
    client = await gateway.connect()
  }

  const produced = (): ProduceRequest[] => broker.seenOf(ApiKey.Produce).map(({ body }) => body as ProduceRequest)
  const producedTo = (): string[][] => produced().map(({ topicData }) => topicData.map(({ name }) => name))

  beforeEach(async () => {
    broker = await startFakeBroker()
    broker.answer(ApiKey.Produce, ({ acks, topicData }) =>
      acks === 0
        ? undefined
        : {
            ...produceResponseDefaults(),
            responses: topicData.map(({ name }) => ({
              ...topicProduceResponseDefaults(),
              name,
              partitionResponses: [{ ...partitionProduceResponseDefaults(), index: 0 }],
            })),
          },
    )
    broker.answer(ApiKey.Fetch, ({ topics }) => ({
      ...fetchResponseDefaults(),
      responses: topics.map(({ topic }) => ({
        ...fetchableTopicResponseDefaults(),
        topic,
        partitions: [{ ...fetchResponsePartitionDataDefaults(), records }],
      })),
    }))
  })

  afterEach(async () => {
    await client?.close()
    await gateway?.stop()
    await broker.stop()
  })

  test('B-38: a topic that the client may not write is not written, whoever chose it', async () => {
    await start(allow('write', 'orders'), renaming('orders', 'secret'))
    const answer = await client.ask(ApiKey.Produce, 9, produceTo(['orders']))
    assert.deepEqual(produceErrors(answer), { orders: ErrorCode.TOPIC_AUTHORIZATION_FAILED })
    assert.equal(broker.receivedBytes, 0)
    const denials = gateway.log.lines().filter(({ level }) => level === 'audit')
    assert.deepEqual(
      denials.map(({ outcome, resource, principal }) => ({ outcome, resource, principal })),
      [{ outcome: 'denied', resource: 'secret', principal: 'User:ANONYMOUS' }],
    )
  })

  test('B-38: of what is denied before and after it, each has its place in the answer, under the client’s names', async () => {
    await start(allow('write', 'orders', 'open', 'store'), renaming('orders', 'secret'), renaming('open', 'store'))
    const answer = await client.ask(ApiKey.Produce, 9, produceTo(['denied', 'orders', 'open']))
    assert.deepEqual(produceErrors(answer), {
      open: ErrorCode.NONE,
      orders: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
      denied: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    })
    assert.deepEqual(producedTo(), [['store']])
  })

  test('B-38: what is denied to the client reaches no interceptor, whatever that would make of it', async () => {
    const met: string[] = []
    const noting: ApiHandler<ProduceRequest, ProduceResponse> = {
      request: ({ topicData }) => {
        met.push(...topicData.map(({ name }) => name))
        return unchanged
      },
      response: ({ responses }) => {
        met.push(...responses.map(({ name }) => name))
        return unchanged
      },
    }
    const notes: Stage = {
      name: 'notes',
      handler: apiKey => (apiKey === ApiKey.Produce ? (noting as ApiHandler) : undefined),
    }
    await start(allow('write', 'store', 'open'), notes, renaming('orders', 'store'))
    const answer = await client.ask(ApiKey.Produce, 9, produceTo(['orders', 'open']))
    assert.deepEqual(produceErrors(answer), { open: ErrorCode.NONE, orders: ErrorCode.TOPIC_AUTHORIZATION_FAILED })
    assert.deepEqual(producedTo(), [['open']])
    assert.deepEqual(met, ['open', 'open'])
  })

  test('B-38: another partition and other records are what the broker gets', async () => {
    const other = Span.of(writeBatch([{ value: Buffer.from('masked'), timestamp: 0n }]))
    const interceptor = onProduce(({ topicData }) => {
      Object.assign(topicData[0]!.partitionData[0]!, { index: 3, records: other })
      return changed
    })
    await start(allow('write', 'orders'), interceptor)
    await client.ask(ApiKey.Produce, 9, produceTo(['orders']))
    const [partition] = produced()[0]!.topicData[0]!.partitionData
    assert.equal(partition!.index, 3)
    assert.deepEqual(partition!.records?.toBuffer(), other.toBuffer())
  })

  test('B-38: records made transactional are held against the transactional id', async () => {
    const transactional = Span.of(
      writeBatch([{ value: Buffer.from('x'), timestamp: 0n }], { producerId: 1n, producerEpoch: 0, attributes: 0x10 }),
    )
    const interceptor = onProduce(body => {
      body.topicData[0]!.partitionData[0]!.records = transactional
      return changed
    })
    await start(allow('write', 'orders'), interceptor)
    const answer = await client.ask(ApiKey.Produce, 9, produceTo(['orders']))
    assert.notEqual(produceErrors(answer).orders, ErrorCode.NONE)
    assert.equal(broker.receivedBytes, 0)
  })

  test('B-38: with acks=0, too: nothing is written, and the connection is closed', async () => {
    await start(allow('write', 'orders'), renaming('orders', 'secret'))
    client.send(ApiKey.Produce, 9, produceTo(['orders'], 0))
    await client.expectClosed()
    assert.equal(broker.receivedBytes, 0)
  })

  test('B-38: a fetch of a topic that the client may not read gets nothing of it', async () => {
    await start(allow('read', 'orders', 'open'), renaming('orders', 'secret'))
    const answer = await client.ask(ApiKey.Fetch, 12, fetchFrom('orders', 'open'))
    assert.deepEqual(fetchErrors(answer), {
      open: ErrorCode.NONE,
      orders: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    })
    const fetched = broker.seenOf(ApiKey.Fetch).map(({ body }) => (body as FetchRequest).topics)
    assert.deepEqual(
      fetched.map(topics => topics.map(({ topic }) => topic)),
      [['open']],
    )
  })

  test('B-38: a fetch session goes on under the names of both sides, and what is denied comes again', async () => {
    const { NONE, TOPIC_AUTHORIZATION_FAILED } = ErrorCode
    broker.answer(ApiKey.Fetch, ({ topics }) => ({
      ...fetchResponseDefaults(),
      sessionId: 7,
      responses: topics.map(({ topic }) => ({
        ...fetchableTopicResponseDefaults(),
        topic,
        partitions: [{ ...fetchResponsePartitionDataDefaults(), records }],
      })),
    }))
    await start(
      allow('read', 'orders', 'open', 'mine', 'store'),
      renaming('orders', 'secret'),
      renaming('mine', 'store'),
    )
    const opened = await client.ask(ApiKey.Fetch, 12, fetchFrom('orders', 'open', 'mine', 'denied'))
    const denied = { orders: TOPIC_AUTHORIZATION_FAILED, denied: TOPIC_AUTHORIZATION_FAILED }
    assert.deepEqual(fetchErrors(opened), { open: NONE, mine: NONE, ...denied })
    const { sessionId } = opened
    const forgotten = { ...fetchRequestForgottenTopicDefaults(), topic: 'orders', partitions: [0] }
    const next = await client.ask(ApiKey.Fetch, 12, { ...fetchFrom(), sessionId, sessionEpoch: 1 })
    assert.deepEqual(fetchErrors(next), denied)
    const last = await client.ask(ApiKey.Fetch, 12, {
      ...fetchFrom('open'),
      sessionId,
      sessionEpoch: 2,
      forgottenTopicsData: [forgotten],
    })
    assert.deepEqual(fetchErrors(last), { open: NONE, denied: TOPIC_AUTHORIZATION_FAILED })
    const asked = broker.seenOf(ApiKey.Fetch).map(({ body }) => {
      const { topics, forgottenTopicsData } = body as FetchRequest
      return [topics, forgottenTopicsData].map(list => list.map(({ topic }) => topic))
    })
    assert.deepEqual(asked, [
      [['open', 'store'], []],
      [[], []],
      [['open'], []],
    ])
  })

  test('B-38 B-05: nor does it make a replica of a client', async () => {
    const interceptor: Stage = {
      name: 'follower',
      handler: apiKey =>
        apiKey === ApiKey.Fetch
          ? {
              request(body) {
                ;(body as FetchRequest).replicaId = 1
                return changed
              },
            }
          : undefined,
    }
    await start(allow('read', 'orders'), interceptor)
    const answer = await client.ask(ApiKey.Fetch, 12, fetchFrom('orders'))
    assert.notDeepEqual(fetchErrors(answer), { orders: ErrorCode.NONE })
    assert.equal(broker.receivedBytes, 0)
  })

  test('B-38: one that fails closes that connection and forwards nothing; others go on', async () => {
    const interceptor = onProduce(({ topicData }) => {
      if (topicData.length > 1) throw new TypeError('a bug')
      return unchanged
    })
    await start(allow('write', 'orders'), interceptor)
    const other = await gateway.connect()
    client.send(ApiKey.Produce, 9, produceTo(['orders', 'orders']))
    await client.expectClosed()
    assert.equal(broker.receivedBytes, 0)
    const said = gateway.log.lines('connection closed').filter(({ level }) => level === 'error')
    assert.deepEqual(
      said.map(({ err }) => (err as { message: string }).message),
      ['a bug'],
    )
    assert.deepEqual(produceErrors(await other.ask(ApiKey.Produce, 9, produceTo(['orders']))), {
      orders: ErrorCode.NONE,
    })
    await other.close()
  })

  test('an answer that it gives by itself is completed by what the policy kept back', async () => {
    const interceptor = onProduce(({ topicData }) =>
      respond({
        ...produceResponseDefaults(),
        responses: topicData.map(({ name }) => ({
          ...topicProduceResponseDefaults(),
          name,
          partitionResponses: [
            { ...partitionProduceResponseDefaults(), index: 0, errorCode: ErrorCode.INVALID_RECORD },
          ],
        })),
      }),
    )
    await start(allow('write', 'orders'), interceptor)
    const answer = await client.ask(ApiKey.Produce, 9, produceTo(['denied', 'orders']))
    assert.deepEqual(produceErrors(answer), {
      orders: ErrorCode.INVALID_RECORD,
      denied: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    })
    assert.equal(broker.receivedBytes, 0)
  })

  test('without an interceptor nothing is judged twice', () => {
    assert.deepEqual(
      judgedAgain([], () => assert.fail('not asked for')),
      [],
    )
  })
})
