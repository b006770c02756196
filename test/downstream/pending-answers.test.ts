import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { PendingAnswer, PendingAnswers } from '../../src/downstream/pending-answers.ts'
import type { Exchange } from '../../src/pipeline/exchange.ts'
import { ByteBudget } from '../../src/wire/byte-budget.ts'

const entry = (): PendingAnswer => new PendingAnswer({} as Exchange, 0)
const answer = { chunks: [], byteLength: 0 }

describe('PendingAnswers', () => {
  test('answers leave in the order of the requests, in whatever order they are made', () => {
    const actions = fc.array(fc.oneof(fc.constant('ask' as const), fc.nat(200)), { maxLength: 400 })
    fc.assert(
      fc.property(actions, steps => {
        const pending = new PendingAnswers()
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
            waiting.splice(step % waiting.length, 1)[0]!.answer = answer
          }
          takeAll()
          assert.equal(pending.count, asked.length - left.length)
          assert.equal(pending.first, asked[left.length])
        }
        for (const each of waiting) each.answer = answer
        takeAll()
        assert.equal(left.length, asked.length)
        assert.ok(left.every((each, at) => each === asked[at]))
      }),
    )
  })

  test('gives back what answered entries hold when the session is gone', () => {
    const budget = new ByteBudget(100)
    const pending = new PendingAnswers()
    for (let at = 0; at < 3; at++) {
      const made = entry()
      made.held = budget.hold(10)
      if (at > 0) made.answer = answer
      pending.push(made)
    }
    pending.abandon()
    assert.deepEqual([budget.inUseBytes, pending.count], [0, 0])
  })
})
