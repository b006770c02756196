import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StallWatch } from '../../src/downstream/stall-watch.ts'

/** Asks with a count of its own each time. */
function watching(): (count: number | undefined, nowMs: number, timeoutMs: number) => boolean {
  let read: number | undefined
  const watch = new StallWatch(() => read)
  return (count, nowMs, timeoutMs) => {
    read = count
    return watch.isStuck(nowMs, timeoutMs)
  }
}

describe('StallWatch', () => {
  test('is stuck when the count has been the same for the whole time', () => {
    const isStuck = watching()
    assert.equal(isStuck(5, 1_000, 100), false)
    assert.equal(isStuck(5, 1_100, 100), false)
    assert.equal(isStuck(5, 1_101, 100), true)
    assert.equal(isStuck(6, 1_102, 100), false)
    assert.equal(isStuck(6, 1_203, 100), true)
  })

  test('counts from when there was something to wait for, also where the count stands at 0', () => {
    const isStuck = watching()
    assert.equal(isStuck(undefined, 1_000, 100), false)
    assert.equal(isStuck(undefined, 9_000, 100), false)
    assert.equal(isStuck(0, 9_050, 100), false)
    assert.equal(isStuck(0, 9_150, 100), false)
    assert.equal(isStuck(0, 9_151, 100), true)
  })

  test('the very first count is news, even at 0', () => {
    const isStuck = watching()
    assert.equal(isStuck(0, 50_000, 100), false)
  })
})
