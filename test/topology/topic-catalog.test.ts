import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { zeroUuid } from '../../src/protocol/empty.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { type NamedTopic, TopicCatalog } from '../../src/topology/topic-catalog.ts'

describe('TopicCatalog', () => {
  let cluster: NamedTopic[]
  let asked: string[][]
  let nowMs: number
  let catalog: TopicCatalog
  /** Lets a test hold back the cluster's answer. */
  let gate: Promise<void>

  async function byId(ids: readonly string[]): Promise<NamedTopic[]> {
    asked.push([...ids])
    await gate
    return cluster.filter(({ topicId }) => ids.includes(topicId))
  }

  beforeEach(() => {
    cluster = [{ name: 'orders', topicId: 'A' }]
    asked = []
    nowMs = 0
    gate = Promise.resolve()
    catalog = new TopicCatalog({
      now: () => nowMs,
      ttlMs: 1_000,
      unknownMs: 100,
      idsMax: 3,
      questions: {
        byId,
        byName: async names => cluster.filter(({ name }) => names.includes(name)),
        all: async () => cluster,
      },
    })
  })

  const nameOf = (id: string): Promise<string | undefined> =>
    Promise.resolve(catalog.whenKnown([id], () => catalog.nameOf(id)))

  test('an id is asked for once, and at once known afterwards', async () => {
    assert.equal(await nameOf('A'), 'orders')
    assert.equal(
      catalog.whenKnown(['A'], () => 'now'),
      'now',
    )
    assert.deepEqual(asked, [['A']])
  })

  test('many who ask for the same id at once are one question', async () => {
    const names = Promise.all([nameOf('A'), nameOf('A'), nameOf('A')])
    assert.deepEqual(await names, ['orders', 'orders', 'orders'])
    assert.deepEqual(asked, [['A']])
  })

  test('B-01: an id that the cluster does not know has no name, and is asked for again a little later', async () => {
    assert.equal(await nameOf('X'), undefined)
    assert.equal(await nameOf('X'), undefined)
    assert.equal(asked.length, 1)
    nowMs = 100
    cluster.push({ name: 'young', topicId: 'X' })
    assert.equal(await nameOf('X'), 'young')
  })

  test('B-02: a topic that is made anew under its name leaves its old id without one', async () => {
    assert.equal(await nameOf('A'), 'orders')
    cluster = [{ name: 'orders', topicId: 'B' }]
    catalog.learn([{ name: 'orders', topicId: 'B', errorCode: ErrorCode.NONE }])
    assert.equal(catalog.nameOf('A'), undefined)
    assert.equal(await nameOf('A'), undefined)
    assert.equal(catalog.nameOf('B'), 'orders')
  })

  test('B-02: what was not heard of for a while is not believed any more', async () => {
    assert.equal(await nameOf('A'), 'orders')
    cluster = []
    nowMs = 1_000
    assert.equal(catalog.nameOf('A'), undefined)
    assert.equal(await nameOf('A'), undefined)
  })

  test('where the cluster does not answer nobody is told a name, and the next one asks again', async () => {
    gate = Promise.reject(new Error('no broker'))
    gate.catch(() => undefined)
    await assert.rejects(nameOf('A'), /no broker/)
    assert.equal(catalog.nameOf('A'), undefined)
    gate = Promise.resolve()
    assert.equal(await nameOf('A'), 'orders')
  })

  test('it remembers no more ids than it may: the oldest go', () => {
    catalog.learn(
      ['1', '2', '3', '4'].map(topicId => ({ name: `topic-${topicId}`, topicId, errorCode: ErrorCode.NONE })),
    )
    assert.deepEqual(
      ['1', '2', '3', '4'].map(id => catalog.nameOf(id)),
      [undefined, 'topic-2', 'topic-3', 'topic-4'],
    )
  })

  test('B-01: an answer that fails as a whole teaches no id the empty name that stands beside it', async () => {
    catalog.learn([
      { name: '', topicId: 'A', errorCode: ErrorCode.UNKNOWN_SERVER_ERROR },
      { name: '', topicId: 'A', errorCode: ErrorCode.NONE },
      { name: null, topicId: 'A', errorCode: ErrorCode.UNKNOWN_TOPIC_ID },
      { name: 'other', topicId: 'A', errorCode: ErrorCode.REQUEST_TIMED_OUT },
      { name: 'nameless', topicId: zeroUuid, errorCode: ErrorCode.NONE },
    ])
    assert.equal(catalog.nameOf(zeroUuid), undefined)
    assert.equal(catalog.nameOf('A'), undefined)
    assert.equal(await nameOf('A'), 'orders')
  })

  test('a topic without a leader has a name all the same', () => {
    catalog.learn([{ name: 'young', topicId: 'Y', errorCode: ErrorCode.LEADER_NOT_AVAILABLE }])
    assert.equal(catalog.nameOf('Y'), 'young')
  })

  test('A-11: of very many unknown ids of one request the first are asked for, and the rest are unknown', async () => {
    const ids = Array.from({ length: 1_000_000 }, (_, at) => `id-${at}`)
    catalog = new TopicCatalog({ now: () => nowMs, questions: { byId, byName: async () => [], all: async () => [] } })
    assert.equal(await catalog.whenKnown([...ids, ...ids], () => catalog.nameOf(ids[0]!)), undefined)
    assert.deepEqual(
      asked.map(({ length }) => length),
      [10_000],
    )
  })

  test('ids that a broker names are asked for, however many', async () => {
    const ids = Array.from({ length: 20_000 }, (_, at) => `id-${at}`)
    catalog = new TopicCatalog({ now: () => nowMs, questions: { byId, byName: async () => [], all: async () => [] } })
    await catalog.whenAllKnown(ids, () => undefined)
    assert.deepEqual(
      asked.map(({ length }) => length),
      [20_000],
    )
  })

  test('whether topics exist is never answered from memory', async () => {
    assert.deepEqual([...(await catalog.existing(['orders', 'absent']))], ['orders'])
    cluster = []
    assert.deepEqual([...(await catalog.existing(['orders']))], [])
  })
})
