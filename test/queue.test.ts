import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { Queue } from '../src/queue.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

describe('Queue', () => {
  test('gives what it got, in order, however pushing and taking alternate', () => {
    const steps = fc.array(fc.oneof(fc.constant('take' as const), fc.nat(150)), { maxLength: 60 })
    fc.assert(
      fc.property(steps, all => {
        const queue = new Queue<{ id: number }>()
        let pushed = 0
        let taken = 0
        for (const step of all) {
          const count = step === 'take' ? Math.min(100, pushed - taken) : step
          for (let at = 0; at < count; at++) {
            if (step === 'take') assert.equal(queue.take()?.id, taken++)
            else queue.push({ id: pushed++ })
          }
          assert.equal(queue.length, pushed - taken)
          assert.equal(queue.first?.id, taken === pushed ? undefined : taken)
        }
        const rest = queue.takeAll().map(({ id }) => id)
        assert.deepEqual(
          rest,
          [...Array(pushed - taken).keys()].map(at => at + taken),
        )
        assert.equal(queue.take(), undefined)
      }),
    )
  })

  test('keeps nothing of what was taken, while others wait behind it', async () => {
    const queue = new Queue<object>()
    const refs = Array.from({ length: 10 }, () => {
      const item = {}
      queue.push(item)
      return new WeakRef(item)
    })
    for (let at = 0; at < 9; at++) queue.take()
    // What a WeakRef showed stays alive until the turn ends.
    await new Promise(setImmediate)
    collect()
    assert.deepEqual(
      refs.map(ref => ref.deref() !== undefined),
      [...Array(9).fill(false), true],
    )
  })
})
