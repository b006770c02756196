import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SessionRoom } from '../../src/acl/session-room.ts'
import { zeroUuid } from '../../src/protocol/empty.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import {
  type FetchRequest,
  fetchRequestDefaults,
  fetchRequestFetchPartitionDefaults,
} from '../../src/protocol/generated/fetch-request.ts'
import type { FetchResponse } from '../../src/protocol/generated/fetch-response.ts'
import { clientOf, FetchRig, idOf } from '../support/fetch-rig.ts'
import { SessionConsumer } from '../support/session-consumer.ts'

const denied = ErrorCode.TOPIC_AUTHORIZATION_FAILED

/** Each test with topics by name, and by id. */
function eachWay(name: string, run: (rig: FetchRig, consumer: SessionConsumer) => Promise<void>): void {
  for (const usesIds of [false, true]) {
    const ids = new Map(['a', 'b', 'c'].map(topic => [topic, idOf(topic)]))
    it(`${name}, by ${usesIds ? 'id' : 'name'}`, () =>
      run(new FetchRig(usesIds, [...ids.keys()]), new SessionConsumer(usesIds ? ids : undefined)))
  }
}

function want(consumer: SessionConsumer, ...partitions: string[]): void {
  for (const partition of partitions) consumer.wanted.set(partition, 0n)
}

function recordBytes({ responses }: FetchResponse): number {
  const all = responses.flatMap(({ partitions }) => partitions.map(({ records }) => records?.byteLength ?? 0))
  return all.reduce((sum, length) => sum + length, 0)
}

const errorsIn = ({ responses }: FetchResponse): number[] =>
  responses.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))

describe('Fetch in a session', () => {
  eachWay('passes as it came, both ways, while all of it is allowed', async (rig, consumer) => {
    const client = clientOf(1)
    rig.allow(['a', 'b'])
    want(consumer, 'a-0', 'b-0')
    for (let round = 0; round < 5; round++) {
      rig.broker.append('a', 0)
      const { isRequestWhole, isResponseWhole, response } = await rig.pass(client, consumer.next())
      assert.ok(isRequestWhole && isResponseWhole)
      assert.deepEqual(consumer.receive(response), ['a-0'])
    }
  })

  eachWay('passes as it came when it names nothing new, and is answered with what is denied', async (rig, consumer) => {
    const client = clientOf(1)
    rig.allow(['a'])
    want(consumer, 'a-0', 'b-0')
    consumer.receive((await rig.pass(client, consumer.next())).response)
    for (let round = 0; round < 3; round++) {
      const { isRequestWhole, forwarded, response } = await rig.pass(client, consumer.next())
      assert.ok(isRequestWhole)
      assert.deepEqual(forwarded!.topics, [])
      assert.deepEqual(errorsIn(response), [denied])
      consumer.receive(response)
    }
  })

  eachWay('B-03: a topic revoked while the broker waits for records brings none', async (rig, consumer) => {
    const client = clientOf(1)
    rig.allow(['a', 'b'])
    want(consumer, 'a-0', 'b-0')
    consumer.receive((await rig.pass(client, consumer.next())).response)
    rig.broker.append('a', 0)
    rig.broker.append('b', 0)
    const { response } = await rig.pass(client, consumer.next(), () => rig.allow(['a']))
    assert.deepEqual(consumer.receive(response), ['a-0'])
    assert.deepEqual(errorsIn(response).sort(), [0, denied])
  })

  eachWay(
    'B-03: after a topic is revoked the running session ends, and the next one is without it',
    async (rig, consumer) => {
      const client = clientOf(1)
      rig.allow(['a', 'b'])
      want(consumer, 'a-0', 'b-0')
      consumer.receive((await rig.pass(client, consumer.next())).response)
      rig.allow(['a'])
      rig.broker.append('a', 0)
      rig.broker.append('b', 0)

      const broken = await rig.pass(client, consumer.next())
      assert.equal(broken.forwarded, undefined)
      assert.equal(broken.response.errorCode, ErrorCode.INVALID_FETCH_SESSION_EPOCH)
      assert.equal(broken.response.sessionId, 0)
      assert.deepEqual(broken.response.responses, [])
      consumer.receive(broken.response)

      const reopened = await rig.pass(client, consumer.next())
      assert.deepEqual(rig.broker.namedIn(reopened.forwarded!, rig.usesIds), ['a'])
      assert.deepEqual(consumer.receive(reopened.response), ['a-0'])
      // The old session was closed by its id.
      assert.equal(rig.broker.sessions.size, 1)
    },
  )

  eachWay('B-03: a topic that is forgotten and asked for anew is judged anew', async (rig, consumer) => {
    const client = clientOf(1)
    rig.allow(['a', 'b'])
    want(consumer, 'a-0', 'b-0')
    consumer.receive((await rig.pass(client, consumer.next())).response)
    consumer.wanted.delete('b-0')
    consumer.receive((await rig.pass(client, consumer.next())).response)
    rig.allow(['a'])
    // What is left is decided as before, so the session goes on.
    want(consumer, 'b-0')
    rig.broker.append('b', 0)
    const { forwarded, response } = await rig.pass(client, consumer.next())
    assert.deepEqual(forwarded!.topics, [])
    assert.deepEqual(errorsIn(response), [denied])
    assert.equal(response.sessionId, consumer.sessionId)
  })

  eachWay('what was hidden from a client is sent anew, though it is allowed again by then', async (rig, consumer) => {
    const client = clientOf(1)
    rig.allow(['a'])
    want(consumer, 'a-0')
    rig.broker.append('a', 0)
    consumer.receive((await rig.pass(client, consumer.next(), () => rig.allow([]))).response)
    rig.allow(['a'])
    const broken = await rig.pass(client, consumer.next())
    assert.equal(broken.response.errorCode, ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    consumer.receive(broken.response)
    assert.deepEqual(consumer.receive((await rig.pass(client, consumer.next())).response), ['a-0'])
  })

  eachWay("B-04: the id of another connection's session is not found", async (rig, consumer) => {
    rig.allow(['a'])
    want(consumer, 'a-0')
    consumer.receive((await rig.pass(clientOf(1), consumer.next())).response)
    rig.broker.append('a', 0)
    const { forwarded, response } = await rig.pass(clientOf(2), consumer.next())
    assert.equal(forwarded, undefined)
    assert.equal(response.errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    assert.equal(recordBytes(response), 0)
  })

  for (const sessionEpoch of [0, -1]) {
    eachWay(`B-04: nobody closes another connection's session, with epoch ${sessionEpoch}`, async (rig, consumer) => {
      const client = clientOf(1)
      rig.allow(['a'])
      want(consumer, 'a-0')
      consumer.receive((await rig.pass(client, consumer.next())).response)
      const { sessionId } = consumer
      const theirs: FetchRequest = { ...fetchRequestDefaults(), sessionId, sessionEpoch }
      const { forwarded } = await rig.pass(clientOf(2), theirs)
      assert.equal(forwarded!.sessionId, 0)
      rig.broker.append('a', 0)
      assert.deepEqual(consumer.receive((await rig.pass(client, consumer.next())).response), ['a-0'])
    })
  }

  eachWay(
    "closes the broker's session when nothing of the new one is allowed, and keeps the new one to itself",
    async (rig, consumer) => {
      const client = clientOf(1)
      rig.allow(['a'])
      want(consumer, 'a-0')
      consumer.receive((await rig.pass(client, consumer.next())).response)
      rig.allow([])
      consumer.receive((await rig.pass(client, consumer.next())).response)
      const { forwarded, response } = await rig.pass(client, consumer.next())
      assert.equal(forwarded!.sessionEpoch, -1)
      assert.deepEqual(forwarded!.topics, [])
      assert.deepEqual(errorsIn(response), [denied])
      assert.notEqual(response.sessionId, 0)
      assert.equal(rig.broker.sessions.size, 0)
      consumer.receive(response)
      const next = await rig.pass(client, consumer.next())
      assert.equal(next.forwarded, undefined)
      assert.equal(next.response.sessionId, response.sessionId)
      assert.deepEqual(errorsIn(next.response), [denied])
    },
  )

  eachWay('two that are kept here have ids of their own, and so has what the broker opens then', async rig => {
    const client = clientOf(1)
    rig.allow(['a'])
    const opened: number[] = []
    for (const topic of ['b', 'c', 'a']) {
      const named = rig.usesIds ? { topic: '', topicId: idOf(topic) } : { topic, topicId: zeroUuid }
      const topics = [{ ...named, partitions: [fetchRequestFetchPartitionDefaults()] }]
      const { response } = await rig.pass(client, { ...fetchRequestDefaults(), sessionEpoch: 0, topics })
      opened.push(response.sessionId)
    }
    assert.deepEqual(opened, [1, 2, 3])
    assert.deepEqual([...rig.broker.sessions.keys()], [1])
    const { forwarded } = await rig.pass(client, { ...fetchRequestDefaults(), sessionId: 3, sessionEpoch: 1 })
    assert.equal(forwarded!.sessionId, 1)
  })

  eachWay('a session whose opening at the broker is not answered yet does not go on', async (rig, consumer) => {
    const client = clientOf(1)
    rig.allow(['a'])
    want(consumer, 'b-0')
    consumer.receive((await rig.pass(client, consumer.next())).response)
    want(consumer, 'a-0')
    const adding = consumer.next()
    const following = { ...fetchRequestDefaults(), sessionId: consumer.sessionId, sessionEpoch: 2 }
    let early: Promise<FetchResponse> | undefined
    await rig.pass(client, adding, () => {
      early = rig.pass(client, following).then(({ response }) => response)
    })
    assert.equal((await early!).errorCode, ErrorCode.INVALID_FETCH_SESSION_EPOCH)
  })

  eachWay('what was hidden in a running session is sent anew, too', async (rig, consumer) => {
    const client = clientOf(1)
    rig.allow(['a'])
    want(consumer, 'a-0')
    consumer.receive((await rig.pass(client, consumer.next())).response)
    rig.broker.append('a', 0)
    consumer.receive((await rig.pass(client, consumer.next(), () => rig.allow([]))).response)
    rig.allow(['a'])
    const { response } = await rig.pass(client, consumer.next())
    assert.equal(response.errorCode, ErrorCode.INVALID_FETCH_SESSION_EPOCH)
  })

  it('a session by name does not go on by id, nor the reverse', async () => {
    const client = clientOf(1)
    for (const isFirstById of [false, true]) {
      const rig = new FetchRig(isFirstById, ['a'])
      rig.allow(['a'])
      const topics = [{ topic: 'a', topicId: idOf('a'), partitions: [fetchRequestFetchPartitionDefaults()] }]
      const { response } = await rig.pass(client, { ...fetchRequestDefaults(), sessionEpoch: 0, topics })
      const other = { ...fetchRequestDefaults(), sessionId: response.sessionId, sessionEpoch: 1 }
      // What the session holds would be looked at anew.
      rig.allow(['a', 'b'])
      const answer = await rig.pass(client, other, undefined, !isFirstById)
      assert.equal(answer.forwarded, undefined)
      assert.equal(answer.response.errorCode, ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
    }
  })

  it('a session does not grow by topics that are named without a partition', async () => {
    const rig = new FetchRig(false, ['a'])
    rig.allow(['a'])
    const client = clientOf(1)
    const named = (topic: string, ...partitions: number[]) => ({
      topic,
      topicId: zeroUuid,
      partitions: partitions.map(partition => ({ ...fetchRequestFetchPartitionDefaults(), partition })),
    })
    for (const names of [['b'], ['a', 'b']]) {
      const opening = { ...fetchRequestDefaults(), sessionEpoch: 0, topics: names.map(name => named(name, 0)) }
      const { sessionId } = (await rig.pass(client, opening)).response
      for (let sessionEpoch = 1; sessionEpoch < 4; sessionEpoch++) {
        const topics = sessionEpoch === 3 ? [] : ['c', 'd', 'e'].map(name => named(name))
        const more = { ...fetchRequestDefaults(), sessionId, sessionEpoch, topics }
        const { errorCode, responses } = (await rig.pass(client, more)).response
        assert.deepEqual([errorCode, responses.map(({ topic }) => topic)], [0, ['b']])
      }
    }
  })

  it('with more than 10,000 denied partitions there is no session, and one that grows so far ends: each short request would be answered with all of them', async () => {
    const rig = new FetchRig(false, ['a'])
    rig.allow(['a'])
    const client = clientOf(1)
    const named = (topic: string, count: number) => ({
      topic,
      topicId: zeroUuid,
      partitions: Array.from({ length: count }, (_, partition) => ({
        ...fetchRequestFetchPartitionDefaults(),
        partition,
      })),
    })
    const full = (...topics: FetchRequest['topics']) => ({ ...fetchRequestDefaults(), sessionEpoch: 0, topics })
    for (const beside of [[], [named('a', 1)]]) {
      const { response } = await rig.pass(client, full(...beside, named('b', 10_001)))
      assert.deepEqual([response.errorCode, response.sessionId], [0, 0])
      assert.equal(errorsIn(response).filter(code => code === denied).length, 10_001)
      assert.equal(rig.broker.sessions.size, 0)
      const { sessionId } = (await rig.pass(client, full(...beside, named('b', 10_000)))).response
      assert.notEqual(sessionId, 0)
      const more = { ...full(named('c', 1)), sessionId, sessionEpoch: 1 }
      assert.equal((await rig.pass(client, more)).response.errorCode, ErrorCode.INVALID_FETCH_SESSION_EPOCH)
      const again = await rig.pass(client, { ...full(...beside, named('b', 10_001)), sessionId })
      assert.deepEqual([again.response.errorCode, again.response.sessionId], [0, 0])
      assert.equal(rig.broker.sessions.size, 0)
    }
  })

  it('a session that has grown by 100,000 partitions ends', async () => {
    const rig = new FetchRig(false, ['a', 'x', 'y'])
    const client = clientOf(1)
    rig.allow(['a', 'x', 'y'])
    const partition = fetchRequestFetchPartitionDefaults()
    const opening = [{ topic: 'a', topicId: zeroUuid, partitions: [partition] }]
    const { response } = await rig.pass(client, { ...fetchRequestDefaults(), sessionEpoch: 0, topics: opening })
    const partitions = Array.from({ length: 60_000 }, (_, index) => ({ ...partition, partition: index }))
    const add = async (topic: string, sessionEpoch: number) => {
      const topics = [{ topic, topicId: zeroUuid, partitions }]
      const { sessionId } = response
      return (await rig.pass(client, { ...fetchRequestDefaults(), sessionId, sessionEpoch, topics })).response.errorCode
    }
    assert.equal(await add('x', 1), 0)
    assert.equal(await add('y', 2), ErrorCode.INVALID_FETCH_SESSION_EPOCH)
  })

  it('A-28: names of denied topics that are megabytes together open no session, and the session that they are added to keeps none of them', async () => {
    const room = new SessionRoom()
    const rig = new FetchRig(false, ['a'], room)
    const client = clientOf(1)
    const topics = Array.from({ length: 600 }, (_, at) => ({
      topic: `${at}`.padEnd(32_000, 'x'),
      topicId: zeroUuid,
      partitions: [fetchRequestFetchPartitionDefaults()],
    }))
    const full = { ...fetchRequestDefaults(), sessionEpoch: 0 }
    const { response } = await rig.pass(client, { ...full, topics })
    assert.deepEqual([response.errorCode, response.sessionId, errorsIn(response).length], [0, 0, 600])
    const { sessionId } = (await rig.pass(client, { ...full, topics: topics.slice(0, 1) })).response
    assert.notEqual(sessionId, 0)
    const grown = await rig.pass(client, { ...full, sessionId, sessionEpoch: 1, topics })
    assert.equal(grown.response.errorCode, ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    assert.ok(room.weight < 1_000, `${room.weight} are kept`)
  })

  it('A-28: all connections together have one room for sessions: who was silent for longest hears that his is not found', async () => {
    const rig = new FetchRig(false, ['a'], new SessionRoom(2_600))
    const consumers = [1, 2, 3, 4].map(connection => {
      const consumer = new SessionConsumer(undefined)
      want(consumer, `${connection}-0`)
      return { client: clientOf(connection), consumer }
    })
    const fetch = async (at: number): Promise<FetchResponse> => {
      const { client, consumer } = consumers[at]!
      const { response } = await rig.pass(client, consumer.next())
      consumer.receive(response)
      return response
    }
    for (const at of [0, 1, 2, 0, 3]) assert.equal((await fetch(at)).errorCode, 0)
    assert.equal((await fetch(0)).errorCode, 0)
    assert.equal((await fetch(1)).errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    const reopened = await fetch(1)
    assert.deepEqual([reopened.errorCode, errorsIn(reopened)], [0, [denied]])
    assert.notEqual(reopened.sessionId, 0)
  })

  eachWay('remembers eight sessions of a connection; the ninth pushes the first out', async rig => {
    const client = clientOf(1)
    rig.allow(['a'])
    const opened: number[] = []
    for (let count = 0; count < 9; count++) {
      const { response } = await rig.pass(client, { ...fetchRequestDefaults(), sessionEpoch: 0 })
      opened.push(response.sessionId)
    }
    const goOn = (sessionId: number) =>
      rig.pass(client, { ...fetchRequestDefaults(), sessionId, sessionEpoch: 1 }).then(({ response }) => response)
    assert.equal((await goOn(opened[0]!)).errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    assert.equal((await goOn(opened[1]!)).errorCode, 0)
    assert.equal((await goOn(opened[8]!)).errorCode, 0)
  })

  it('B-01: an id that nobody knows is unknown to the client and to the broker, until it is known', async () => {
    const rig = new FetchRig(true, ['a', 'b'])
    const client = clientOf(1)
    const consumer = new SessionConsumer(
      new Map([
        ['a', idOf('a')],
        ['b', idOf('b')],
      ]),
    )
    rig.allow(['a', 'b'])
    rig.hidden.add('b')
    want(consumer, 'a-0', 'b-0')
    for (let round = 0; round < 2; round++) {
      const { forwarded, response } = await rig.pass(client, consumer.next())
      assert.ok(!rig.broker.namedIn(forwarded!, true).includes('b'))
      assert.ok(errorsIn(response).includes(ErrorCode.UNKNOWN_TOPIC_ID))
      consumer.receive(response)
    }
    rig.hidden.clear()
    rig.broker.append('b', 0)
    consumer.receive((await rig.pass(client, consumer.next())).response)
    assert.deepEqual(consumer.receive((await rig.pass(client, consumer.next())).response), ['b-0'])
  })

  it('B-01: an id reaches no topic that its name would not', async () => {
    const rig = new FetchRig(true, ['a', 'b'])
    const consumer = new SessionConsumer(new Map([['b', idOf('b')]]))
    rig.allow(['a'])
    want(consumer, 'b-0')
    rig.broker.append('b', 0)
    const { forwarded, response } = await rig.pass(clientOf(1), consumer.next())
    assert.equal(forwarded, undefined)
    assert.deepEqual(errorsIn(response), [denied])
    assert.equal(recordBytes(response), 0)
  })
})
