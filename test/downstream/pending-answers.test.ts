import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { PendingAnswer, PendingAnswers } from '../../src/downstream/pending-answers.ts'
import type { Exchange } from '../../src/pipeline/exchange.ts'
import { ByteBudget } from '../../src/wire/byte-budget.ts'

const entry = (exchange: Partial<Exchange> = {}): PendingAnswer =>
  new PendingAnswer({ requestItems: 0, ...exchange } as Exchange, 0)
const answer = { chunks: [], byteLength: 0 }

describe('PendingAnswers', () => {
  test('answers leave in the order of the requests, in whatever order they are made', () => {
    const actions = fc.array(fc.oneof(fc.constant('ask' as const), fc.nat(200)), { maxLength: 400 })
    fc.assert(
      fc.property(actions, steps => {
        const pending = new PendingAnswers(64)
        const waiting: PendingAnswer[] = []
        const asked: PendingAnswer[] = []
        const left: PendingAnswer[] = []
        const takeAll = (): void => {
          for (let next = pending.takeReady(); next !== undefined; next = pending.takeReady()) left.push(next)
        }
        for (const step of steps) {
          if (step === 'ask') {
            const made = entry()
            pending.push(made)
            asked.push(made)
            waiting.push(made)
          } else if (waiting.length > 0) {
            pending.answered(waiting.splice(step % waiting.length, 1)[0]!, answer)
          }
          takeAll()
          assert.equal(pending.count, asked.length - left.length)
          assert.equal(pending.first, asked[left.length])
        }
        for (const each of waiting) pending.answered(each, answer)
        takeAll()
        assert.equal(left.length, asked.length)
        assert.ok(left.every((each, at) => each === asked[at]))
      }),
    )
  })

  test('is full with so many requests, or with so many bytes of answers that wait for their turn', () => {
    const pending = new PendingAnswers(2)
    const [first, second] = [entry(), entry()]
    pending.push(first)
    assert.equal(pending.isFull, false)
    pending.push(second, { chunks: [], byteLength: 1 })
    assert.equal(pending.isFull, true)

    const wide = new PendingAnswers(1_000)
    wide.push(first)
    for (let at = 0; at < 8; at++) wide.push(entry(), { chunks: [], byteLength: 64 * 1024 })
    assert.equal(wide.isFull, false)
    wide.push(entry(), { chunks: [], byteLength: 1 })
    assert.equal(wide.isFull, true)
    wide.answered(first, answer)
    while (wide.takeReady() !== undefined);
    assert.deepEqual([wide.isFull, wide.count], [false, 0])
  })

  test('A-11: is full with so many items of requests that wait for their answers', () => {
    const pending = new PendingAnswers(1_000)
    const large = [1, 2, 3].map(() => entry({ requestItems: 10_000 }))
    for (const each of large.slice(0, 2)) pending.push(each)
    assert.equal(pending.isFull, false)
    pending.push(large[2]!)
    assert.equal(pending.isFull, true)
    pending.answered(large[0]!, answer)
    assert.equal(pending.takeReady(), large[0])
    assert.equal(pending.isFull, false)
  })

  test('A-11: a request is counted with what its items take, and a large answer made here, too', () => {
    const budget = new ByteBudget(10_000_000)
    const made = entry({ requestItems: 25_000 })
    made.keepRequest(budget, 50_000)
    assert.equal(budget.inUseBytes, 50_000 + 25_000 * 150)
    entry({ requestItems: 20 }).keepRequest(budget, 1_000)
    assert.equal(budget.inUseBytes, 50_000 + 25_000 * 150)
    made.kept!.release()

    const here = entry({ request: {}, response: {} })
    here.keepAnswer(budget, 1_000)
    assert.equal(budget.inUseBytes, 0)
    here.keepAnswer(budget, 1_000_000)
    assert.equal(budget.inUseBytes, 1_000_000)
    assert.deepEqual([here.exchange.request, here.exchange.response], [undefined, undefined])
    here.held!.release()
    assert.equal(budget.inUseBytes, 0)
  })

  test('gives back what answered entries hold when the session is gone', () => {
    const budget = new ByteBudget(100)
    const pending = new PendingAnswers(64)
    for (let at = 0; at < 3; at++) {
      const made = entry()
      made.held = budget.hold(10)
      pending.push(made, at > 0 ? answer : undefined)
    }
    pending.abandon()
    assert.deepEqual([budget.inUseBytes, pending.count], [0, 0])
  })
})
