import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FetchSession } from '../../src/acl/fetch-sessions.ts'
import { zeroUuid } from '../../src/protocol/empty.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import {
  type FetchRequest,
  fetchRequestDefaults,
  fetchRequestFetchPartitionDefaults,
} from '../../src/protocol/generated/fetch-request.ts'
import type { FetchResponse } from '../../src/protocol/generated/fetch-response.ts'
import { clientOf, FetchRig, idOf } from '../support/fetch-rig.ts'
import { SessionBroker } from '../support/session-broker.ts'
import { SessionConsumer } from '../support/session-consumer.ts'

const names = ['a', 'b', 'c', 'd']
const partitions = names.flatMap(name => [`${name}-0`, `${name}-1`])
const ids = new Map(names.map(name => [name, idOf(name)]))

type Action =
  | { readonly do: 'fetch'; readonly meanwhile?: readonly string[] | undefined }
  | { readonly do: 'allow'; readonly names: readonly string[] }
  | { readonly do: 'want'; readonly partitions: readonly string[] }
  | { readonly do: 'append'; readonly partition: string }
  | { readonly do: 'evict' }
  | { readonly do: 'fill'; readonly isFull: boolean }
  | { readonly do: 'close' }
  | { readonly do: 'hide'; readonly name: string }
  | { readonly do: 'show' }

const someNames = fc.subarray(names)
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('fetch' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fetch' as const), meanwhile: someNames }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('allow' as const), names: someNames }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('want' as const), partitions: fc.subarray(partitions) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('append' as const), partition: fc.constantFrom(...partitions) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('evict' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fill' as const), isFull: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hide' as const), name: fc.constantFrom(...names) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('show' as const) }) },
)

/** One consumer on one connection, and what must hold after every step. */
class Story {
  readonly rig: FetchRig
  readonly consumer: SessionConsumer
  readonly #client = clientOf(1)
  #allowed: readonly string[] = []

  constructor(usesIds: boolean) {
    this.rig = new FetchRig(usesIds, names)
    this.consumer = new SessionConsumer(usesIds ? ids : undefined)
  }

  async take(step: Action): Promise<void> {
    const { rig, consumer } = this
    if (step.do === 'fetch') await this.fetch(step.meanwhile)
    else if (step.do === 'allow') this.allow(step.names)
    else if (step.do === 'want') this.#want(step.partitions)
    else if (step.do === 'append') rig.broker.append(...split(step.partition))
    else if (step.do === 'evict') rig.broker.sessions.clear()
    else if (step.do === 'fill') rig.broker.isFull = step.isFull
    else if (step.do === 'close') consumer.close()
    else if (step.do === 'hide') rig.hidden.add(step.name)
    else rig.hidden.clear()
  }

  allow(allowed: readonly string[]): void {
    this.#allowed = allowed
    this.rig.allow(allowed)
  }

  async fetch(meanwhile?: readonly string[]): Promise<void> {
    const { rig, consumer } = this
    const allowedThen = this.#allowed
    const then = meanwhile === undefined ? undefined : () => this.allow(meanwhile)
    const { forwarded, response } = await rig.pass(this.#client, consumer.next(), then)
    if (forwarded !== undefined) {
      const seen = rig.broker.namedIn(forwarded, rig.usesIds)
      assert.deepEqual(
        seen.filter(name => !allowedThen.includes(name)),
        [],
        'the broker saw a denied name',
      )
    }
    for (const key of consumer.receive(response)) {
      assert.ok(this.#allowed.includes(nameOf(key)), `records of ${key}, which is denied`)
    }
    assert.ok(!rig.broker.sessionErrors.includes(ErrorCode.INVALID_FETCH_SESSION_EPOCH), 'epochs diverge')
    assert.ok(!rig.broker.sessionErrors.includes(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR))
    assert.ok(rig.broker.sessions.size <= 1, 'sessions that nobody will close')
  }

  /** Left alone, the consumer reads all that it wants and may have, and hears why it does not get the rest. */
  async settle(): Promise<void> {
    const { rig, consumer } = this
    rig.hidden.clear()
    for (let round = 0; round < 4; round++) await this.fetch()
    for (const [key, offset] of consumer.wanted) {
      if (this.#allowed.includes(nameOf(key))) assert.equal(offset, rig.broker.endOf(...split(key)), `${key} lags`)
    }
    consumer.errors.clear()
    await this.fetch()
    for (const key of consumer.wanted.keys()) {
      const isAllowed = this.#allowed.includes(nameOf(key))
      assert.equal(consumer.errors.get(key) ?? 0, isAllowed ? 0 : ErrorCode.TOPIC_AUTHORIZATION_FAILED, key)
    }
  }

  #want(keys: readonly string[]): void {
    const { wanted } = this.consumer
    for (const key of wanted.keys()) if (!keys.includes(key)) wanted.delete(key)
    for (const key of keys) if (!wanted.has(key)) wanted.set(key, 0n)
  }
}

const nameOf = (key: string): string => key.slice(0, 1)
const split = (key: string): [string, number] => [nameOf(key), Number(key.slice(2))]

describe('a fetch session', () => {
  const allowed = 0
  const denied = ErrorCode.TOPIC_AUTHORIZATION_FAILED
  const listed = (...partitions: number[]) => partitions.map(partition => ({ partition }))

  it('knows what is decided on a topic for as long as one of its partitions is wanted', () => {
    const session = new FetchSession(false, 1)
    session.want('orders', listed(0, 1), allowed)
    session.want('orders', listed(1, 2), allowed)
    session.forget('orders', [0, 1, 7])
    assert.equal(session.errorOf('orders'), allowed)
    session.forget('orders', [2])
    session.forget('orders', [2])
    assert.equal(session.errorOf('orders'), undefined)
    assert.deepEqual([...session.topics()], [])
  })

  it('lists what is denied, with every partition once', () => {
    const session = new FetchSession(false, 1)
    session.want('orders', listed(0), allowed)
    assert.deepEqual(session.denied(), [])
    session.want('secret', listed(0, 3), denied)
    session.want('secret', listed(3), denied)
    const [only, ...others] = session.denied()
    assert.deepEqual(
      { ...only, partitions: [...only!.partitions] },
      {
        topic: 'secret',
        errorCode: denied,
        partitions: [0, 3],
      },
    )
    assert.deepEqual(others, [])
    session.forget('secret', [0, 3])
    assert.deepEqual(session.denied(), [])
  })

  it('is in doubt about ids that nobody knew until they are forgotten', () => {
    const session = new FetchSession(true, 1)
    session.want(idOf('a'), listed(0), ErrorCode.UNKNOWN_TOPIC_ID)
    assert.equal(session.hasUnknownIds, true)
    session.forget(idOf('a'), [0])
    assert.equal(session.hasUnknownIds, false)
  })

  it('keeps no topic of which it wants no partition, however many are named', () => {
    const session = new FetchSession(false, 1)
    session.want('orders', listed(), allowed)
    session.want('secret', listed(), denied)
    assert.deepEqual([...session.topics()], [])
    session.want('orders', listed(0), allowed)
    session.want('orders', listed(), allowed)
    assert.deepEqual([...session.topics()], ['orders'])
  })

  it('takes 100,000 partitions in beyond those it was opened with, and gives room back', () => {
    const session = new FetchSession(false, 1)
    session.want('opened', listed(0, 1, 2), allowed)
    session.opened()
    session.want('added', listed(...Array(100_000).keys()), allowed)
    assert.equal(session.isTooLarge, false)
    session.want('added', listed(100_000), allowed)
    assert.equal(session.isTooLarge, true)
    session.forget('opened', [0])
    assert.equal(session.isTooLarge, false)
  })

  it('holds 10,000 denied partitions, those included that it was opened with, and gives room back', () => {
    const session = new FetchSession(false, 1)
    session.want('secret', listed(...Array(10_000).keys()), denied)
    session.want('secret', listed(0), denied)
    session.want('orders', listed(0), allowed)
    session.opened()
    assert.equal(session.isTooLarge, false)
    session.want('other', listed(0), denied)
    assert.equal(session.isTooLarge, true)
    session.forget('secret', [5, 5])
    assert.equal(session.isTooLarge, false)
  })
})

interface Talk {
  readonly epoch: 'next' | 'wrong' | 'first' | 'only'
  /** Says nothing of the session that it has. */
  readonly isForgetful: boolean
  readonly listed: readonly string[]
  readonly forgotten: readonly string[]
  /** By id where the session is by name, or the reverse. */
  readonly isOtherWay: boolean
  readonly appended: string
}

const rarely = fc.integer({ min: 0, max: 9 }).map(draw => draw === 0)
const talk: fc.Arbitrary<Talk> = fc.record({
  epoch: fc.constantFrom('next', 'next', 'next', 'next', 'next', 'wrong', 'first', 'only'),
  isForgetful: rarely,
  listed: fc.subarray(partitions, { maxLength: 3 }),
  forgotten: fc.subarray(partitions, { maxLength: 5 }),
  isOtherWay: rarely,
  appended: fc.constantFrom(...partitions),
})

/** What a consumer knows of its session with one of the two. */
class Talker {
  #id = 0
  #epoch = 0

  request({ epoch, isForgetful, listed, forgotten }: Talk, usesIds: boolean): FetchRequest {
    const numbers = { next: this.#epoch, wrong: 77, first: 0, only: -1 }
    const named = (key: string) => {
      const [name, partition] = split(key)
      return { ...(usesIds ? { topic: '', topicId: idOf(name) } : { topic: name, topicId: zeroUuid }), partition }
    }
    return {
      ...fetchRequestDefaults(),
      sessionId: isForgetful ? 0 : this.#id,
      sessionEpoch: numbers[epoch],
      topics: listed.map(named).map(({ partition, ...topic }) => ({
        ...topic,
        partitions: [{ ...fetchRequestFetchPartitionDefaults(), partition }],
      })),
      forgottenTopicsData: forgotten
        .map(named)
        .map(({ partition, ...topic }) => ({ ...topic, partitions: [partition] })),
    }
  }

  /** The answer without what each side chooses for itself. */
  take({ errorCode, sessionId, responses }: FetchResponse, sessionEpoch: number) {
    if (sessionEpoch === 0) this.#id = sessionId
    if (errorCode === 0) this.#epoch = sessionId === 0 ? 0 : sessionEpoch + 1
    const told = responses.flatMap(({ topic, topicId, partitions }) =>
      partitions.map(({ partitionIndex, errorCode, highWatermark, records }) =>
        [topic, topicId, partitionIndex, errorCode, highWatermark, records?.byteLength ?? 0].join(' '),
      ),
    )
    return { errorCode, hasSession: sessionId !== 0, told: told.sort() }
  }
}

describe('fetch sessions', () => {
  for (const usesIds of [false, true]) {
    it(`are answered as by a broker that judges for itself, by ${usesIds ? 'id' : 'name'}`, async () => {
      const alike = fc.asyncProperty(fc.subarray(names), fc.array(talk, { maxLength: 25 }), async (allowed, talks) => {
        const rig = new FetchRig(usesIds, names)
        rig.allow(allowed)
        const judging = new SessionBroker(rig.broker.names)
        for (const name of names) if (!allowed.includes(name)) judging.denied.add(name)
        const [there, here] = [new Talker(), new Talker()]
        const client = clientOf(1)
        for (const each of talks) {
          for (const broker of [judging, rig.broker]) broker.append(...split(each.appended))
          const way = each.isOtherWay ? !usesIds : usesIds
          const [expected, request] = [there.request(each, way), here.request(each, way)]
          const { sessionEpoch } = request
          const { forwarded, response } = await rig.pass(client, request, undefined, way)
          const told = there.take(judging.answer(expected, way), expected.sessionEpoch)
          assert.deepEqual(here.take(response, sessionEpoch), told)
          const seen = forwarded === undefined ? [] : rig.broker.namedIn(forwarded, way)
          assert.deepEqual(
            seen.filter(name => !allowed.includes(name)),
            [],
            'the broker saw a denied name',
          )
        }
        assert.deepEqual(rig.broker.sessionErrors, [])
        assert.ok(rig.broker.sessions.size <= judging.sessions.size)
      })
      await fc.assert(alike, { numRuns: 1_500 })
    })
  }

  for (const usesIds of [false, true]) {
    it(`let nothing through that is denied and hold nothing back that is allowed, whatever happens, by ${usesIds ? 'id' : 'name'}`, async () => {
      const stories = fc.asyncProperty(fc.array(action, { maxLength: 40 }), async steps => {
        const story = new Story(usesIds)
        for (const step of steps) await story.take(step)
        await story.settle()
      })
      await fc.assert(stories, { numRuns: 400 })
    })
  }
})
