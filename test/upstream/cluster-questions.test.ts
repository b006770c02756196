import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { WireError } from '../../src/errors.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { ClusterView } from '../../src/topology/cluster-view.ts'
import { ClusterQuestions } from '../../src/upstream/cluster-questions.ts'
import type { Questions } from '../../src/upstream/cluster-watch.ts'

type Body = Record<string, unknown>

const target = (host: string) => ({ host, port: 9092 })

/** Brokers that answer what a test says, and remember what they were asked. */
class Brokers {
  readonly down = new Set<string>()
  readonly asked: { readonly host: string; readonly key: number; readonly version: number; readonly body: Body }[] = []
  metadataMax = 12
  answers: Partial<Record<number, (body: Body) => Body>> = {}
  open = 0
  connections = 0

  described() {
    return this.asked.filter(({ key }) => key === ApiKey.ConsumerGroupDescribe)
  }

  async connect({ host }: { readonly host: string }): Promise<Questions> {
    if (this.down.has(host)) throw new Error(`${host} is down`)
    this.open++
    this.connections++
    let isClosed = false
    const close = (): void => {
      if (!isClosed) this.open--
      isClosed = true
    }
    return {
      ask: (async (key: number, version: number, body: Body) => {
        if (this.down.has(host)) {
          close()
          throw new Error(`${host} went down`)
        }
        if (key === ApiKey.ApiVersions) return { apiKeys: this.#apiKeys() }
        this.asked.push({ host, key, version, body })
        return this.answers[key]?.(body)
      }) as Questions['ask'],
      get isClosed() {
        return isClosed
      },
      close,
    }
  }

  #apiKeys() {
    const max = { [ApiKey.Metadata]: this.metadataMax, [ApiKey.DescribeConfigs]: 4, [ApiKey.FindCoordinator]: 6 }
    return Object.entries(max).map(([apiKey, maxVersion]) => ({ apiKey: Number(apiKey), minVersion: 0, maxVersion }))
  }
}

const member = (memberId: string, subscribedTopicRegex: string | null) => ({ memberId, subscribedTopicRegex })

const topics = (...found: [name: string | null, topicId: string, errorCode?: number][]) => ({
  topics: found.map(([name, topicId, errorCode = ErrorCode.NONE]) => ({ name, topicId, errorCode })),
})

describe('ClusterQuestions', () => {
  let brokers: Brokers
  let view: ClusterView
  let questions: ClusterQuestions
  let nowMs = 0

  beforeEach(() => {
    brokers = new Brokers()
    view = new ClusterView()
    view.replace({
      clusterId: 'c',
      brokers: new Map(['one', 'two'].map((host, nodeId) => [nodeId, { nodeId, ...target(host), rack: null }])),
    })
    questions = new ClusterQuestions({
      view,
      bootstrap: [target('one')],
      connect: at => brokers.connect(at),
      now: () => nowMs,
    })
  })

  test('topics are asked for on one connection, and asking creates none', async () => {
    brokers.answers = { [ApiKey.Metadata]: () => topics(['a', 'A'], ['b', 'B', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]) }
    assert.deepEqual(await questions.byName(['a', 'b']), [{ name: 'a', topicId: 'A' }])
    assert.deepEqual(await questions.byId(['A']), [{ name: 'a', topicId: 'A' }])
    assert.deepEqual(await questions.all(), [{ name: 'a', topicId: 'A' }])
    assert.equal(brokers.open, 1)
    assert.deepEqual(
      brokers.asked.map(({ body }) => body.allowAutoTopicCreation),
      [false, false, false],
    )
    assert.equal(brokers.asked[2]?.body.topics, null)
  })

  test('a topic without a leader exists; one that the gateway may not describe does not, to it', async () => {
    brokers.answers = {
      [ApiKey.Metadata]: () =>
        topics(
          ['young', 'Y', ErrorCode.LEADER_NOT_AVAILABLE],
          ['hidden', 'H', ErrorCode.TOPIC_AUTHORIZATION_FAILED],
          [null, 'U', ErrorCode.UNKNOWN_TOPIC_ID],
        ),
    }
    assert.deepEqual(await questions.byName(['young', 'hidden']), [{ name: 'young', topicId: 'Y' }])
  })

  test('an answer that fails as a whole names no topic: Kafka puts an empty name beside each id', async () => {
    brokers.answers = {
      [ApiKey.Metadata]: () =>
        topics(['', 'A', ErrorCode.UNKNOWN_SERVER_ERROR], ['orders', 'O', ErrorCode.REQUEST_TIMED_OUT], ['', 'B']),
    }
    assert.deepEqual(await questions.byId(['A', 'O', 'B']), [])
  })

  test('a broker too old to be asked by id, or without creating, is not asked', async () => {
    brokers.metadataMax = 11
    brokers.answers = { [ApiKey.Metadata]: () => topics(['a', 'A']) }
    assert.deepEqual(await questions.byId(['A']), [])
    assert.equal((await questions.byName(['a'])).length, 1)
    brokers.metadataMax = 3
    const older = new ClusterQuestions({ view, bootstrap: [], connect: at => brokers.connect(at), now: () => nowMs })
    assert.deepEqual(await older.byName(['a']), [])
    assert.equal(brokers.asked.length, 1)
  })

  test('another broker is asked where one fails; two that fail are told', async () => {
    brokers.answers = { [ApiKey.Metadata]: () => topics(['a', 'A']) }
    await questions.all()
    brokers.down.add('one')
    assert.equal((await questions.all()).length, 1)
    assert.deepEqual(
      brokers.asked.map(({ host }) => host),
      ['one', 'two'],
    )
    brokers.down.add('two')
    await assert.rejects(questions.all(), /down/)
    brokers.down.clear()
    assert.equal((await questions.all()).length, 1)
    assert.equal(brokers.open, 1)
  })

  test('whether asking creates topics is asked of a broker by its own id', async () => {
    const setting = (value: string | null) => () => ({
      results: [{ configs: [{ name: 'auto.create.topics.enable', value }] }],
    })
    brokers.answers = { [ApiKey.DescribeConfigs]: setting('false') }
    assert.equal(await questions.autoCreatesTopics(), false)
    const [{ resourceType, resourceName }] = brokers.asked[0]!.body.resources as [Body]
    assert.deepEqual([resourceType, resourceName], [4, '0'])
    brokers.answers = { [ApiKey.DescribeConfigs]: setting('true') }
    assert.equal(await questions.autoCreatesTopics(), true)
    brokers.answers = { [ApiKey.DescribeConfigs]: () => ({ results: [] }) }
    assert.equal(await questions.autoCreatesTopics(), undefined)
  })

  test('the expression of a member is asked of its group’s coordinator, on a connection that stays', async () => {
    const describe = (errorCode: number) => () => ({
      groups: [{ errorCode, members: [member('m', 'a|b'), member('n', null)] }],
    })
    brokers.answers = {
      [ApiKey.FindCoordinator]: () => ({ errorCode: ErrorCode.NONE, ...target('two') }),
      [ApiKey.ConsumerGroupDescribe]: describe(ErrorCode.NONE),
    }
    assert.equal(await questions.subscribedExpression('g', 'm', 'User:alice'), 'a|b')
    assert.equal(await questions.subscribedExpression('g', 'n', 'User:alice'), null)
    assert.equal(await questions.subscribedExpression('g', 'stranger', 'User:alice'), undefined)
    assert.equal(brokers.described()[0]?.host, 'two')
    nowMs += 1000
    brokers.answers[ApiKey.ConsumerGroupDescribe] = describe(ErrorCode.GROUP_ID_NOT_FOUND)
    assert.equal(await questions.subscribedExpression('g', 'm', 'User:alice'), undefined)
    nowMs += 1000
    brokers.answers[ApiKey.ConsumerGroupDescribe] = describe(ErrorCode.GROUP_AUTHORIZATION_FAILED)
    await assert.rejects(questions.subscribedExpression('g', 'm', 'User:alice'), /let the gateway describe groups/)
    nowMs += 1000
    brokers.answers[ApiKey.FindCoordinator] = () => ({ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE })
    await assert.rejects(questions.subscribedExpression('g', 'm', 'User:alice'), /FindCoordinator/)
    assert.deepEqual([brokers.connections, brokers.open], [2, 2])
  })

  test('A-29: a group is asked about once at a time and once a second, however many members there are', async () => {
    brokers.answers = {
      [ApiKey.FindCoordinator]: () => ({ errorCode: ErrorCode.NONE, ...target('two') }),
      [ApiKey.ConsumerGroupDescribe]: () => ({ groups: [{ errorCode: ErrorCode.NONE, members: [member('m', 'x')] }] }),
    }
    const asking = Array.from({ length: 500 }, (_, at) => questions.subscribedExpression('g', `m${at}`, 'User:alice'))
    assert.ok((await Promise.all(asking)).every(expression => expression === undefined))
    nowMs += 999
    assert.equal(await questions.subscribedExpression('g', 'm', 'User:alice'), 'x')
    assert.equal(brokers.described().length, 1)
    nowMs += 1
    assert.equal(await questions.subscribedExpression('g', 'm', 'User:alice'), 'x')
    assert.equal(brokers.described().length, 2)
    assert.deepEqual([brokers.connections, brokers.open], [2, 2])
  })

  test('A-29: of very many groups a few are asked about at once, and whoever asks for many waits for himself', async () => {
    let pending = 0
    let pendingMax = 0
    brokers.answers = {
      [ApiKey.FindCoordinator]: () => ({ errorCode: ErrorCode.NONE, ...target('two') }),
      [ApiKey.ConsumerGroupDescribe]: (async () => {
        pendingMax = Math.max(pendingMax, ++pending)
        await setImmediate()
        pending--
        return { groups: [{ errorCode: ErrorCode.NONE, members: [] }] }
      }) as never,
    }
    const greedy = Array.from({ length: 500 }, (_, at) => questions.subscribedExpression(`g${at}`, 'm', 'User:greedy'))
    await questions.subscribedExpression('hers', 'm', 'User:alice')
    const before = brokers.described().length
    assert.ok(before < 200, `${before} were asked about before hers`)
    await Promise.all(greedy)
    assert.deepEqual([pendingMax, brokers.described().length, brokers.connections], [32, 501, 2])
  })

  test('a coordinator whose connection ended is connected to again', async () => {
    brokers.answers = {
      [ApiKey.FindCoordinator]: () => ({ errorCode: ErrorCode.NONE, ...target('two') }),
      [ApiKey.ConsumerGroupDescribe]: () => ({ groups: [{ errorCode: ErrorCode.NONE, members: [member('m', 'x')] }] }),
    }
    assert.equal(await questions.subscribedExpression('g', 'm', 'User:alice'), 'x')
    nowMs += 1000
    brokers.down.add('two')
    await assert.rejects(questions.subscribedExpression('g', 'm', 'User:alice'), /went down/)
    nowMs += 1000
    await assert.rejects(questions.subscribedExpression('g', 'm', 'User:alice'), /is down/)
    nowMs += 1000
    brokers.down.clear()
    assert.equal(await questions.subscribedExpression('g', 'm', 'User:alice'), 'x')
    questions.close()
    await setImmediate()
    assert.equal(brokers.open, 0)
  })

  test('A-11: an answer that cannot be read, or that says no, costs nobody else the connection, and is not asked for again', async () => {
    let answer = (): void => undefined
    const held = new Promise<void>(resolve => {
      answer = resolve
    })
    brokers.answers = {
      [ApiKey.Metadata]: (async ({ topics: asked }: Body) => {
        if (asked !== null) throw new WireError('too many items in one message')
        await held
        return topics(['a', 'A'])
      }) as never,
      [ApiKey.FindCoordinator]: () => ({ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }),
    }
    const waiting = questions.all()
    await assert.rejects(questions.byId(['A']), /too many items/)
    await assert.rejects(questions.subscribedExpression('g', 'm', 'User:alice'), /FindCoordinator/)
    assert.deepEqual([brokers.connections, brokers.open, brokers.asked.length], [1, 1, 3])
    answer()
    assert.equal((await waiting).length, 1)
  })

  test('A-11: very many topics are asked for in parts, one after the other, and others come between', async () => {
    let pending = 0
    let pendingMax = 0
    const lengths: (number | undefined)[] = []
    brokers.answers = {
      [ApiKey.Metadata]: (async ({ topics: asked }: { topics: { topicId: string; name: string | null }[] | null }) => {
        lengths.push(asked?.length)
        pendingMax = Math.max(pendingMax, ++pending)
        await setImmediate()
        pending--
        return topics(...(asked ?? []).map(({ topicId, name }) => [name ?? topicId, topicId] as [string, string]))
      }) as never,
    }
    const ids = Array.from({ length: 2500 }, (_, at) => `id-${at}`)
    assert.deepEqual(
      (await questions.byId(ids)).map(({ topicId }) => topicId),
      ids,
    )
    assert.deepEqual([lengths, pendingMax], [[1000, 1000, 500], 1])
    const byName = questions.byName(ids)
    await questions.all()
    assert.equal(lengths[4], undefined)
    assert.equal((await byName).length, 2500)
  })

  test('nothing is asked once it is closed', async () => {
    brokers.answers = { [ApiKey.Metadata]: () => topics(['a', 'A']) }
    await questions.all()
    questions.close()
    await assert.rejects(questions.all(), /stopping/)
    assert.equal(brokers.open, 0)
  })
})
