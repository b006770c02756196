// What counts as the same answer: too little of it hides differences, too much of it finds what is none.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ApiKey } from '../../../src/protocol/api-key.ts'
import { Span } from '../../../src/wire/span.ts'
import { rules } from './normalisations.ts'
import { normalised, sorted } from './normalise.ts'
import { changesText } from './report.ts'

const id = (letter: string) => `${letter.repeat(21)}A`
const side = (topicId: string) => ({ nameOfId: new Map([[topicId, 'orders']]) })

function isSame(key: ApiKey, one: unknown, other: unknown): boolean {
  const texts = [normalised(key, one, side(id('a'))), normalised(key, other, side(id('b')))]
  return JSON.stringify(sorted(texts[0]!)) === JSON.stringify(sorted(texts[1]!))
}

describe('answers of two clusters', () => {
  test('the ids of one topic are the same, another id is not, and neither is none', () => {
    const topic = (topicId: string) => ({ topics: [{ topicId, errorCode: 0 }] })
    assert.ok(isSame(ApiKey.Metadata, topic(id('a')), topic(id('b'))))
    assert.ok(!isSame(ApiKey.Metadata, topic(id('a')), topic(id('c'))))
    assert.ok(!isSame(ApiKey.Metadata, topic(id('a')), topic('A'.repeat(22))))
    assert.ok(isSame(ApiKey.Metadata, topic(id('c')), topic(id('c'))))
  })

  test('error codes, names, offsets, nulls and operations are compared as they are', () => {
    const answer = { topics: [{ name: 'orders', errorCode: 29, offset: 3n, errorMessage: null, operations: 264 }] }
    for (const change of [
      { errorCode: 0 },
      { name: 'order' },
      { offset: 4n },
      { errorMessage: '' },
      { operations: 8 },
    ]) {
      const changed = { topics: [{ ...answer.topics[0]!, ...change }] }
      assert.ok(!isSame(ApiKey.ListOffsets, answer, changed), JSON.stringify(Object.keys(change)))
    }
    assert.ok(!isSame(ApiKey.ListOffsets, answer, { topics: [] }), 'an entry left out')
    assert.ok(!isSame(ApiKey.ListOffsets, answer, { topics: [answer.topics[0], answer.topics[0]] }), 'an entry twice')
  })

  test('the order of entries is not compared, but whether a value belongs to its entry is', () => {
    const [a, b] = [
      { name: 'a', errorCode: 29 },
      { name: 'b', errorCode: 0 },
    ]
    assert.ok(isSame(ApiKey.DeleteTopics, { responses: [a, b] }, { responses: [b, a] }))
    const crossed = [
      { ...a, errorCode: 0 },
      { ...b, errorCode: 29 },
    ]
    assert.ok(!isSame(ApiKey.DeleteTopics, { responses: [a, b] }, { responses: crossed }))
  })

  test('what coordinators write for themselves is left out of their own topics only', () => {
    const fetched = (topic: string, bytes: number) => ({
      responses: [{ topic, partitions: [{ highWatermark: BigInt(bytes), records: Span.of(Buffer.alloc(bytes)) }] }],
    })
    assert.ok(isSame(ApiKey.Fetch, fetched('__consumer_offsets', 5), fetched('__consumer_offsets', 6)))
    assert.ok(!isSame(ApiKey.Fetch, fetched('orders', 5), fetched('orders', 6)))
  })

  test('a producer id and a session are there or not, whichever they are', () => {
    assert.ok(isSame(ApiKey.InitProducerId, { producerId: 5n }, { producerId: 7n }))
    assert.ok(!isSame(ApiKey.InitProducerId, { producerId: 5n }, { producerId: -1n }))
    assert.ok(isSame(ApiKey.Fetch, { sessionId: 5 }, { sessionId: 7 }))
    assert.ok(!isSame(ApiKey.Fetch, { sessionId: 5 }, { sessionId: 0 }))
  })

  test('an address in a text is any address; the rest of the text is not', () => {
    const text = (errorMessage: string) => ({ errorCode: 42, errorMessage })
    assert.ok(isSame(ApiKey.CreateTopics, text('at 127.0.0.1:9092'), text('at [address]')))
    assert.ok(!isSame(ApiKey.CreateTopics, text('at 127.0.0.1:9092'), text('near [address]')))
    const denied = (errorMessage: string) => ({ errorCode: 31, errorMessage })
    assert.ok(isSame(ApiKey.CreateAcls, denied('Request Request(…) needs ALTER permission.'), denied('Denied.')))
  })

  test('every rule says why', () => {
    assert.ok(rules.every(({ why }) => why.length > 3))
  })
})

test('a report shows the places that differ, by the names that clients look for', () => {
  const one = {
    topics: [
      { name: 'a', partitions: [{ partitionIndex: 0, errorCode: 29 }] },
      { name: 'b', errorCode: 0 },
    ],
  }
  const other = {
    topics: [
      { name: 'b', errorCode: 0 },
      { name: 'a', partitions: [{ partitionIndex: 0, errorCode: 0 }] },
    ],
  }
  assert.equal(changesText(one, other), '  /topics/a/partitions/0/errorCode: expected 29, got 0')
})
