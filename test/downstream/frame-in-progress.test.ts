import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FrameInProgress } from '../../src/downstream/frame-in-progress.ts'
import { ByteBudget } from '../../src/wire/byte-budget.ts'

const KiB = 1024
const never = (): void => assert.fail('granted')

function incoming(bytesMax = 1024 * KiB) {
  const budget = new ByteBudget(bytesMax)
  return { budget, frame: new FrameInProgress(budget, { firstFrameTimeout: 10_000, frameTimeout: 30_000 }, 0) }
}

describe('FrameInProgress', () => {
  test('A-03: the first frame has to be complete within its own time', () => {
    const { frame } = incoming()
    assert.equal(frame.lateness(10_000), undefined)
    assert.match(frame.lateness(10_001)!, /firstFrameTimeout/)
    frame.grew(100, 200, 9_000, never)
    assert.match(frame.lateness(10_001)!, /firstFrameTimeout/)
    frame.complete()
    assert.equal(frame.lateness(1e9), undefined)
  })

  test('A-03: a later frame has its time from its first byte on, and more the larger it says it is', () => {
    const { frame } = incoming()
    frame.complete()
    frame.grew(4, 64 * KiB, 100_000, never)
    frame.grew(5, 64 * KiB, 120_000, never)
    assert.equal(frame.lateness(131_000), undefined)
    assert.match(frame.lateness(131_001)!, /not complete in time/)
    frame.grew(4, 100 * 1024 * KiB, 100_000, never)
    assert.equal(frame.lateness(100_000 + 30_000 + 1_600_000), undefined)
    assert.match(frame.lateness(100_000 + 30_000 + 1_600_001)!, /not complete in time/)
  })

  test('the time in which nobody reads is not the client’s', () => {
    const { frame } = incoming()
    frame.complete()
    frame.grew(4, 100, 0, never)
    frame.paused(10_000)
    assert.equal(frame.lateness(1e9), undefined)
    frame.resumed(500_000)
    assert.equal(frame.lateness(500_000 + 20_000), undefined)
    assert.notEqual(frame.lateness(500_000 + 20_100), undefined)
  })

  test('holds nothing before 64 KiB are here, and then twice what came, up to what is announced', () => {
    const { budget, frame } = incoming()
    frame.grew(4, 500 * KiB, 0, never)
    frame.grew(64 * KiB - 1, 500 * KiB, 0, never)
    assert.equal(budget.inUseBytes, 0)
    frame.grew(64 * KiB, 500 * KiB, 0, never)
    assert.equal(budget.inUseBytes, 128 * KiB)
    frame.grew(400 * KiB, 500 * KiB, 0, never)
    assert.equal(budget.inUseBytes, 500 * KiB)
    frame.complete()?.release()
    assert.equal(budget.inUseBytes, 0)
  })

  test('waits where there is no budget, and says when it goes on', () => {
    const { budget, frame } = incoming(100 * KiB)
    const beyond = budget.hold(0)
    beyond.grow(101 * KiB, never)
    let granted = 0
    frame.grew(64 * KiB, 200 * KiB, 0, () => granted++)
    assert.equal(frame.isWaiting, true)
    beyond.release()
    assert.deepEqual([frame.isWaiting, granted], [false, 1])
  })

  test('gives back what it holds, waiting or not', () => {
    const { budget, frame } = incoming(100 * KiB)
    const beyond = budget.hold(0)
    beyond.grow(101 * KiB, never)
    frame.grew(64 * KiB, 200 * KiB, 0, never)
    frame.release()
    beyond.release()
    assert.deepEqual([budget.inUseBytes, budget.waitingCount], [0, 0])
  })
})
