import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { SessionRoom } from '../../src/acl/session-room.ts'
import { ShareSession } from '../../src/acl/share-sessions.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { ShareRig } from '../support/share-rig.ts'

const names = ['a', 'b', 'c', 'd']
const denied = ErrorCode.TOPIC_AUTHORIZATION_FAILED
const someNames = fc.subarray(names)

type Action =
  | { readonly do: 'fetch'; readonly acknowledged: readonly string[] }
  | { readonly do: 'revoke'; readonly allowed: readonly string[] }
  | { readonly do: 'acknowledge'; readonly names: readonly string[] }
  | { readonly do: 'allow'; readonly names: readonly string[] }
  | { readonly do: 'want'; readonly names: readonly string[] }
  | { readonly do: 'evict' }
  | { readonly do: 'close' }

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('fetch' as const), acknowledged: someNames }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('revoke' as const), allowed: someNames }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), names: someNames }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('allow' as const), names: someNames }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('want' as const), names: someNames }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('evict' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const) }) },
)

class Story {
  readonly rig = new ShareRig(names)
  #allowed: readonly string[] = []

  constructor() {
    this.allow([])
  }

  async take(step: Action): Promise<void> {
    const { rig } = this
    if (step.do === 'fetch') await this.fetch(step.acknowledged)
    else if (step.do === 'revoke') await this.fetch([], step.allowed)
    else if (step.do === 'acknowledge') await this.#acknowledge(step.names)
    else if (step.do === 'allow') this.allow(step.names)
    else if (step.do === 'want') rig.wanted = new Set(step.names)
    else if (step.do === 'evict') rig.brokerSession = undefined
    else rig.close()
  }

  allow(allowed: readonly string[]): void {
    this.#allowed = allowed
    this.rig.allow(allowed)
  }

  async fetch(acknowledged: readonly string[], meanwhile?: readonly string[]): Promise<void> {
    const { rig } = this
    const allowedThen = this.#allowed
    const [isNew, hadSession] = [rig.isNew, rig.brokerSession !== undefined]
    const { errorCode, responses } = await rig.fetch(acknowledged, meanwhile && (() => this.allow(meanwhile)))
    if (errorCode !== 0) {
      assert.equal(errorCode, ErrorCode.SHARE_SESSION_NOT_FOUND)
      assert.ok(!hadSession, 'a session that was there is not lost')
      return
    }
    this.#checkBroker(isNew ? [] : acknowledged, allowedThen)
    for (const { topicId, partitions } of responses) {
      const name = rig.nameOf(topicId)
      assert.equal(partitions.length, 1, name)
      const { records, acquiredRecords, errorCode: error } = partitions[0]!
      const isDelivered = (records?.byteLength ?? 0) > 0 || acquiredRecords.length > 0
      assert.ok(!isDelivered || (error === 0 && this.#allowed.includes(name)), `records of ${name}`)
    }
    if (rig.brokerSession !== undefined) this.#checkFetched(isNew ? [] : acknowledged, allowedThen, responses)
  }

  /** Every topic once, as it may have it then and now. */
  #checkFetched(
    acknowledged: readonly string[],
    allowedThen: readonly string[],
    responses: Awaited<ReturnType<ShareRig['fetch']>>['responses'],
  ): void {
    const { rig } = this
    // What is only acknowledged joins the session, too, so it may be fetched without being wanted.
    const fetched = [...rig.brokerSession!.names]
    assert.deepEqual(
      fetched.filter(name => !allowedThen.includes(name)),
      [],
      'the broker fetches what is denied',
    )
    for (const name of rig.wanted) {
      assert.equal(fetched.includes(name), allowedThen.includes(name), `${name} is fetched when it is allowed`)
      const [of, ...others] = responses.filter(({ topicId }) => rig.nameOf(topicId) === name)
      assert.deepEqual(others, [], `${name} is answered twice`)
      const isAllowed = allowedThen.includes(name) && this.#allowed.includes(name)
      const { errorCode, acknowledgeErrorCode } = of?.partitions[0] ?? assert.fail(`${name} is not answered`)
      assert.equal(errorCode, isAllowed ? 0 : denied, name)
      // Kafka takes whatever is listed beside an acknowledgement for acknowledged.
      const isRefused = acknowledged.length > 0 && rig.asked.has(name) && !allowedThen.includes(name)
      assert.equal(acknowledgeErrorCode, isRefused ? denied : 0, name)
    }
  }

  async #acknowledge(acknowledged: readonly string[]): Promise<void> {
    const { rig } = this
    // Java does not acknowledge outside a session.
    if (rig.isNew) return
    const hadSession = rig.brokerSession !== undefined
    const { errorCode, responses } = await rig.acknowledge(acknowledged)
    if (errorCode !== 0) {
      assert.ok(!hadSession)
      return
    }
    this.#checkBroker(acknowledged, this.#allowed)
    const errors = responses.map(({ topicId, partitions }) => [rig.nameOf(topicId), partitions[0]!.errorCode])
    const expected = acknowledged.map(name => [name, this.#allowed.includes(name) ? 0 : denied])
    assert.deepEqual(errors.sort(), expected.sort())
  }

  /** It gets every acknowledgement that is allowed, once, and hears of nothing else. */
  #checkBroker(acknowledged: readonly string[], allowed: readonly string[]): void {
    const { rig } = this
    assert.deepEqual(rig.acknowledged.sort(), acknowledged.filter(name => allowed.includes(name)).sort())
    assert.deepEqual(
      rig.listed.filter(name => !allowed.includes(name)),
      [],
      'the broker saw a denied name',
    )
    assert.ok(!rig.sessionErrors.includes(ErrorCode.INVALID_SHARE_SESSION_EPOCH), 'epochs diverge')
  }
}

describe('share sessions', () => {
  it('let nothing through that is denied and hold nothing back that is allowed, whatever happens', async () => {
    const stories = fc.asyncProperty(fc.array(action, { maxLength: 40 }), async steps => {
      const story = new Story()
      for (const step of steps) await story.take(step)
    })
    await fc.assert(stories, { numRuns: 400 })
  })

  it('keep no topic of which they want no partition, however many are named', () => {
    const session = new ShareSession(1)
    session.want('AA', [], denied)
    assert.deepEqual([...session.topics], [])
    session.want('AA', [0], denied)
    session.want('AA', [], denied)
    assert.deepEqual([...session.topics.keys()], ['AA'])
  })

  it('A-28: hold 10,000 denied partitions, and give room back', () => {
    const session = new ShareSession(1)
    session.want('AA', Array(10_000).keys(), denied)
    session.want('BA', Array(10_000).keys(), 0)
    assert.equal(session.isTooLarge, false)
    session.want('CA', [0], denied)
    assert.equal(session.isTooLarge, true)
    session.topics.get('CA')!.errorCode = 0
    assert.equal(session.isTooLarge, false)
  })

  it('A-28: have one room for all connections together: what was dropped is not found, and can be opened anew', async () => {
    const rig = new ShareRig(names, new SessionRoom(100))
    rig.allow(['a'])
    rig.wanted.add('a')
    const answers = [await rig.fetch([]), await rig.fetch([]), await rig.fetch([])]
    assert.deepEqual(
      answers.map(({ errorCode }) => errorCode),
      [0, ErrorCode.SHARE_SESSION_NOT_FOUND, 0],
    )
  })

  it('A-28: with too many denied partitions are refused, as where a broker has no room', async () => {
    const many = Array.from({ length: 10_001 }, (_, partition) => partition)
    const rig = new ShareRig(names)
    rig.allow([])
    const { errorCode, responses } = await rig.open('b', many)
    assert.deepEqual([errorCode, responses], [ErrorCode.SHARE_SESSION_LIMIT_REACHED, []])
    assert.equal((await rig.open('b', many.slice(1))).errorCode, 0)
  })

  it('hold 100,000 partitions, and give room back', () => {
    const session = new ShareSession(1)
    session.want('AA', Array(100_000).keys(), 0)
    session.want('AA', [5], 0)
    assert.equal(session.isTooLarge, false)
    session.want('BA', [0], 0)
    assert.equal(session.isTooLarge, true)
    session.forget('BA', [0, 1])
    assert.equal(session.isTooLarge, false)
    assert.equal(session.topics.has('BA'), false)
  })
})
