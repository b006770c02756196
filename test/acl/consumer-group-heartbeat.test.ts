/** What becomes of regular expressions as topics, members and gateways come and go; one heartbeat alone is a scenario. */
import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { RE2JS } from 're2js'
import { createAcl, enforcements } from '../../src/acl/acl.ts'
import { MemberExpressions } from '../../src/acl/member-expressions.ts'
import { alternationOf, TopicExpressions } from '../../src/acl/topic-expressions.ts'
import { Exchange } from '../../src/pipeline/exchange.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { describeApi } from '../../src/protocol/api-table.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import type { ConsumerGroupDescribeResponse } from '../../src/protocol/generated/consumer-group-describe-response.ts'
import type { ConsumerGroupHeartbeatRequest } from '../../src/protocol/generated/consumer-group-heartbeat-request.ts'
import { TopicCatalog } from '../../src/topology/topic-catalog.ts'
import { fillMessage } from '../support/fill-message.ts'
import { plainPolicy } from '../support/plain-policy.ts'

const { ConsumerGroupHeartbeat, ConsumerGroupDescribe } = ApiKey

interface GatewayOptions {
  readonly topics: string[]
  readonly subscribedExpression?: (groupId: string, memberId: string) => Promise<string | null | undefined>
  readonly now?: () => number
}

/** The stage as a gateway builds it, with a cluster whose topics a test adds to. */
class Gateway {
  policy = plainPolicy(['p, User:alice, group, *, read, allow', 'p, User:alice, topic, orders*, read, allow'])
  listings = 0
  readonly #acl

  constructor({ topics, subscribedExpression, now = () => 0 }: GatewayOptions) {
    const all = async () => {
      this.listings++
      return topics.map((name, at) => ({ name, topicId: `id-${at}` }))
    }
    const catalog = new TopicCatalog({ now, questions: { byId: async () => [], byName: async () => [], all } })
    this.#acl = createAcl({
      rows: enforcements({
        topics: catalog,
        autoCreatesTopics: () => false,
        refuses: () => false,
        ...(subscribedExpression === undefined ? {} : { subscribedExpression }),
      }),
      policies: () => ({ inForce: this.policy, shadow: undefined }),
      isEnforcing: true,
      log: { decided: () => undefined, filtered: () => undefined, differed: () => undefined },
    })
  }

  /** What the broker gets of a heartbeat, or the code it is answered with here. */
  async heartbeat(partial: Partial<Record<keyof ConsumerGroupHeartbeatRequest, unknown>>, principal = 'User:alice') {
    const request = { groupId: 'g', memberId: 'm', memberEpoch: 1, ...partial }
    const exchange = exchangeFor(ConsumerGroupHeartbeat, request, principal)
    const handler = this.#acl.handler(ConsumerGroupHeartbeat, 1)
    const outcome = await handler?.request?.(exchange.request, exchange)
    if (outcome?.kind === 'respond') return (outcome.response as { errorCode: number }).errorCode
    assert.equal(outcome?.kind, 'forward')
    exchange.response = fillMessage('response', ConsumerGroupHeartbeat, { memberId: 'm', memberEpoch: 1 }, 1)
    await handler?.response?.(exchange.response, exchange)
    const { subscribedTopicRegex, subscribedTopicNames } = exchange.request as ConsumerGroupHeartbeatRequest
    return { regex: subscribedTopicRegex, names: subscribedTopicNames }
  }

  /** What a client is shown of a group. */
  async describe(answer: unknown): Promise<ConsumerGroupDescribeResponse> {
    const exchange = exchangeFor(ConsumerGroupDescribe, { groupIds: ['g'] }, 'User:alice')
    const response = fillMessage('response', ConsumerGroupDescribe, answer as never, 1)
    await this.#acl.handler(ConsumerGroupDescribe, 1)?.response?.(response, exchange)
    return response as ConsumerGroupDescribeResponse
  }
}

function exchangeFor(key: ApiKey, request: unknown, principal: string): Exchange {
  const client = { connection: 1, listener: 'l', address: '1:1', ip: '1', principal, nodeId: undefined }
  const header = { apiKey: key, apiVersion: 1, correlationId: 1, clientId: 'c' }
  return new Exchange(client, describeApi(key)!, header as never, fillMessage('request', key, request as never, 1))
}

const unchanged = { regex: null, names: null }
const joining = { memberEpoch: 0, subscribedTopicNames: [], subscribedTopicRegex: 'orders.*' }

describe('a consumer that subscribes by expression', () => {
  it('B-16: gets a topic that comes into being with its next heartbeat, after some seconds, and loses one that goes', async () => {
    let now = 0
    const topics = ['orders-1', 'secret']
    const gateway = new Gateway({ topics, now: () => now })
    assert.deepEqual(await gateway.heartbeat(joining), { regex: '/', names: ['orders-1'] })
    topics.push('orders-2')
    assert.deepEqual(await gateway.heartbeat({}), unchanged)
    now = 5000
    assert.deepEqual(await gateway.heartbeat({}), { regex: '/', names: ['orders-1', 'orders-2'] })
    assert.deepEqual(await gateway.heartbeat({}), unchanged)
    topics.shift()
    now = 10_000
    assert.deepEqual(await gateway.heartbeat({}), { regex: '/', names: ['orders-2'] })
  })

  it('costs the cluster one question in some seconds, however many heartbeats there are', async () => {
    let now = 0
    const gateway = new Gateway({ topics: ['orders-1'], now: () => now })
    await Promise.all([1, 2, 3].map(at => gateway.heartbeat({ ...joining, memberId: `m${at}` })))
    assert.equal(gateway.listings, 1)
    now = 5000
    await Promise.all([1, 2, 3].map(at => gateway.heartbeat({ memberId: `m${at}` })))
    assert.equal(gateway.listings, 2)
  })

  it('B-31: is compiled once, for many members as well', async () => {
    const compile = mock.method(RE2JS, 'compile')
    const gateway = new Gateway({ topics: ['orders-1'] })
    for (const at of [1, 2, 3]) await gateway.heartbeat({ ...joining, memberId: `m${at}` })
    assert.equal(compile.mock.callCount(), 1)
    compile.mock.restore()
  })

  it('B-16: is fenced by a gateway that has just started, joins again, and gets a new topic', async () => {
    const topics = ['orders-1']
    await new Gateway({ topics }).heartbeat(joining)
    topics.push('orders-2')
    const restarted = new Gateway({ topics })
    assert.equal(await restarted.heartbeat({}), ErrorCode.FENCED_MEMBER_EPOCH)
    assert.deepEqual(await restarted.heartbeat(joining), { regex: '/', names: ['orders-1', 'orders-2'] })
    assert.deepEqual(await restarted.heartbeat({}), unchanged)
  })

  it('is not fenced where the cluster says that it has no expression, and then is known', async () => {
    const asked: string[] = []
    const gateway = new Gateway({
      topics: [],
      subscribedExpression: async (groupId, memberId) => {
        asked.push(`${groupId} ${memberId}`)
        return null
      },
    })
    assert.deepEqual(await gateway.heartbeat({}), unchanged)
    assert.deepEqual(await gateway.heartbeat({}), unchanged)
    assert.deepEqual(asked, ['g m'])
  })

  it('is left to the broker, and not known, where the cluster has no such member', async () => {
    let expression: string | undefined
    const gateway = new Gateway({ topics: [], subscribedExpression: async () => expression })
    assert.deepEqual(await gateway.heartbeat({}), unchanged)
    // It joined by another gateway meanwhile.
    expression = 'orders-1'
    assert.equal(await gateway.heartbeat({}), ErrorCode.FENCED_MEMBER_EPOCH)
  })

  it('A-29: joins again where it was fenced since nobody could say, and then is known', async () => {
    let asked = 0
    const subscribedExpression = async (): Promise<null> => {
      asked++
      throw new Error('too many groups are asked for at once')
    }
    const gateway = new Gateway({ topics: ['orders-1'], subscribedExpression })
    assert.equal(await gateway.heartbeat({}), ErrorCode.FENCED_MEMBER_EPOCH)
    await gateway.heartbeat({ memberEpoch: 0, subscribedTopicNames: ['orders-1'] })
    assert.deepEqual(await gateway.heartbeat({}), unchanged)
    assert.equal(asked, 1)
  })

  it('B-16: is fenced where the cluster has an expression of it, or cannot say', async () => {
    const having = new Gateway({ topics: [], subscribedExpression: async () => 'orders-1' })
    assert.equal(await having.heartbeat({}), ErrorCode.FENCED_MEMBER_EPOCH)
    const silent = new Gateway({ topics: [], subscribedExpression: () => Promise.reject(new Error('no broker')) })
    assert.equal(await silent.heartbeat({}), ErrorCode.FENCED_MEMBER_EPOCH)
  })

  it("B-16: cannot be continued by somebody else under the member's id", async () => {
    const gateway = new Gateway({ topics: ['orders-1'] })
    await gateway.heartbeat(joining)
    gateway.policy = plainPolicy(['p, *, group, *, read, allow', 'p, User:alice, topic, orders*, read, allow'], 2)
    assert.equal(await gateway.heartbeat({}, 'User:mallory'), ErrorCode.FENCED_MEMBER_EPOCH)
    assert.deepEqual(await gateway.heartbeat({ ...joining, memberId: 'n' }, 'User:mallory'), { regex: '/', names: [] })
  })

  it('B-16: keeps one and the same expression at the broker while its topics change, so that it loses nothing meanwhile', async () => {
    const topics = Array.from({ length: 4000 }, (_, at) => `orders-of-a-long-name-${at}`).sort()
    const gateway = new Gateway({ topics })
    assert.deepEqual(await gateway.heartbeat(joining), { regex: '/', names: topics })
    assert.deepEqual(await gateway.heartbeat({}), unchanged)
    const one = `p, User:alice, topic, ${topics[0]}, read, allow`
    gateway.policy = plainPolicy(['p, User:alice, group, *, read, allow', one], 2)
    assert.deepEqual(await gateway.heartbeat({}), { regex: '/', names: [topics[0]] })
    gateway.policy = plainPolicy(['p, User:alice, group, *, read, allow'], 3)
    assert.deepEqual(await gateway.heartbeat({}), { regex: '/', names: [] })
  })

  it('B-16: is shown with what it asked for, not with the names that a broker got', async () => {
    const gateway = new Gateway({ topics: ['orders-1', 'orders-2'] })
    await gateway.heartbeat(joining)
    const member = (memberId: string, subscribedTopicRegex: string, subscribedTopicNames: string[]) => ({
      memberId,
      subscribedTopicRegex,
      subscribedTopicNames,
    })
    const members = [member('m', '/', ['orders-1', 'orders-2']), member('other', 'x', ['y'])]
    const { groups } = await gateway.describe({ groups: [{ groupId: 'g', members }] })
    assert.deepEqual(
      groups[0]?.members.map(({ subscribedTopicRegex, subscribedTopicNames }) => [
        subscribedTopicRegex,
        ...subscribedTopicNames,
      ]),
      [['orders.*'], ['x', 'y']],
    )
  })
})

describe('what is kept of members', () => {
  it('is bounded by their number and by their length; the oldest go first', () => {
    const asked = (expression: string) => ({ principal: 'User:a', expression, names: [], confirmed: undefined })
    const few = new MemberExpressions({ membersMax: 2 })
    for (const id of ['a', 'b', 'c']) few.keep('g', id, asked('x'))
    assert.equal(few.find('g', 'a'), undefined)
    assert.equal(few.find('g', 'c')?.expression, 'x')
    const short = new MemberExpressions({ lengthMax: 1500 })
    for (const id of ['a', 'b']) short.keep('g', id, asked('x'.repeat(1000)))
    assert.equal(short.find('g', 'a'), undefined)
    assert.equal(short.find('g', 'b')?.expression.length, 1000)
  })

  it('A-30: does not grow with the topics that expressions stand for, however many different ones there are', async () => {
    const topics = Array.from({ length: 500 }, (_, at) => `orders-${at}`)
    const kept: unknown[] = []
    const keep = mock.method(MemberExpressions.prototype, 'keep', (...[, , asked]: unknown[]) => void kept.push(asked))
    const gateway = new Gateway({ topics })
    for (let at = 0; at < 50; at++) {
      await gateway.heartbeat({ ...joining, memberId: `m${at}`, subscribedTopicRegex: `.*|${at}` })
    }
    keep.mock.restore()
    assert.equal(kept.length, 50)
    assert.ok(JSON.stringify(kept).length < 50 * 200)
  })

  it('A-30: counts a name of a few letters with what it takes in its list', () => {
    const members = new MemberExpressions({ lengthMax: 10_000 })
    const names: string[] = new Array(1500).fill('a')
    members.keep('g', 'm', { principal: 'User:a', expression: '', names, confirmed: undefined })
    assert.equal(members.find('g', 'm'), undefined)
  })

  it('does not confuse groups and members whose ids look alike', () => {
    const members = new MemberExpressions()
    members.keep('a","b', 'c', { principal: 'User:a', expression: 'x', names: [], confirmed: undefined })
    assert.equal(members.find('a', 'b","c'), undefined)
  })
})

describe('an expression', () => {
  const client = { connection: 1, listener: 'l', address: '1:1', ip: '1', principal: 'User:a', nodeId: undefined }

  it('is worked out once for all members of a principal', async () => {
    let decisions = 0
    const names = Object.freeze(['a', 'b'])
    const expressions = new TopicExpressions({ topics: { everyName: () => names }, pause: () => undefined })
    const judge = {
      policy: plainPolicy([]),
      sees: () => {
        decisions++
        return true
      },
    }
    for (const connection of [1, 2, 3]) {
      const resolved = await expressions.resolve('.*', judge as never, { ...client, connection }, 'c')
      assert.deepEqual(resolved.names, names)
    }
    assert.equal(decisions, 2)
  })

  it('B-31: makes way between any two names, and of two for one principal the second waits for the first', async () => {
    const names = Object.freeze(['a', 'b', 'c'])
    const waiting: (() => void)[] = []
    const pause = () => new Promise<void>(resolve => waiting.push(resolve))
    const expressions = new TopicExpressions({ topics: { everyName: () => names }, pause })
    const judge = { policy: plainPolicy([]), sees: () => true }
    const resolve = (expression: string, principal: string) =>
      expressions.resolve(expression, judge as never, { ...client, principal }, 'c')
    const resolved = [resolve('.*', 'User:a'), resolve('a', 'User:a'), resolve('.*', 'User:b')]
    const seen: number[] = []
    for (let settled = false; !settled; ) {
      await setImmediate()
      seen.push(waiting.length)
      settled = waiting.length === 0
      for (const go of waiting.splice(0)) go()
    }
    assert.deepEqual(
      (await Promise.all(resolved)).map(each => each.names),
      [names, ['a'], names],
    )
    assert.deepEqual(seen, [2, 2, 2, 1, 1, 1, 0])
  })

  it('stands for the same as another one, or for something else, by its digest', async () => {
    const expressions = new TopicExpressions({ topics: { everyName: () => ['a', 'ab', 'b'] }, pause: () => undefined })
    const judge = { policy: plainPolicy([]), sees: () => true }
    const digestOf = async (expression: string) =>
      (await expressions.resolve(expression, judge as never, client, 'c')).digest
    assert.equal(await digestOf('.*|1'), await digestOf('.*|2'))
    assert.notEqual(await digestOf('a|b'), await digestOf('ab'))
    assert.notEqual(await digestOf('x'), await digestOf('ab'))
  })

  it('A-30: is kept with what it stands for as long as all of them take no more than they may', async () => {
    let decisions = 0
    const names = Array.from({ length: 1000 }, (_, at) => `t${at}`)
    const judge = { policy: plainPolicy([]), sees: () => ++decisions > 0 }
    const topics = { everyName: () => names }
    const expressions = new TopicExpressions({ topics, pause: () => undefined, resolvedBytesMax: 100_000 })
    const decisionsFor = async (expression: string): Promise<number> => {
      decisions = 0
      await expressions.resolve(expression, judge as never, client, 'c')
      return decisions
    }
    for (let at = 0; at < 20; at++) await decisionsFor(`.*|${at}`)
    assert.equal(await decisionsFor('.*|19'), 0)
    assert.equal(await decisionsFor('.*|10'), 0)
    assert.equal(await decisionsFor('.*|0'), 1000)
  })

  it('becomes an alternation of names for streams groups, their dots taken literally', () => {
    const { expression, names } = alternationOf(['a.b', 'a-b_c'])
    assert.deepEqual([expression, names], ['a\\.b|a-b_c', []])
    assert.doesNotMatch('axb', new RegExp(`^(?:${expression})$`))
  })

  it('becomes names where no string of the protocol holds their alternation, and never matches everything', () => {
    const many = Array.from({ length: 4000 }, (_, at) => `orders-of-a-long-name-${at}`)
    assert.deepEqual(alternationOf(many), { expression: '/', names: many })
    assert.deepEqual(alternationOf([]), { expression: '/', names: [] })
  })
})
