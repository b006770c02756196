import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AcceptLimitOptions, AcceptLimits } from '../../src/downstream/accept-limits.ts'

function limits(options: Partial<AcceptLimitOptions> = {}) {
  const clock = { nowMs: 1_000 }
  const made = new AcceptLimits(
    { connections: 1_000, connectionsPerIp: 1_000, acceptPerSecond: 1e6, acceptPerSecondPerIp: 1e6, ...options },
    () => clock.nowMs,
  )
  return { clock, limits: made }
}

describe('AcceptLimits', () => {
  test('refuses what is one too many, in all and per address, and takes it when somebody has left', () => {
    const { limits: made } = limits({ connections: 3, connectionsPerIp: 2 })
    assert.equal(made.enter('a').kind, 'admitted')
    assert.equal(made.enter('a').kind, 'admitted')
    assert.deepEqual(made.enter('a'), { kind: 'refused', reason: 'connectionsPerIp' })
    assert.equal(made.enter('b').kind, 'admitted')
    assert.deepEqual(made.enter('b'), { kind: 'refused', reason: 'connections' })
    made.leave('a')
    assert.equal(made.openCount, 2)
    assert.equal(made.enter('c').kind, 'admitted')
  })

  test('a burst of a second’s worth starts at once, what comes on top waits its turn, what would wait too long is refused', () => {
    const { clock, limits: made } = limits({ acceptPerSecond: 10 })
    const delays = Array.from({ length: 40 }, () => {
      const admission = made.enter('a')
      return admission.kind === 'admitted' ? Math.round(admission.delayMs) : admission.reason
    })
    assert.deepEqual(delays.slice(0, 11), Array(11).fill(0))
    assert.deepEqual(delays.slice(11, 14), [100, 200, 300])
    assert.equal(delays.filter(each => each === 'acceptPerSecond').length, 40 - 31)
    clock.nowMs += 1_000
    assert.equal(made.enter('b').kind, 'admitted')
  })

  test('no second sees more starts than the rate, once the burst is over', () => {
    const { clock, limits: made } = limits({ acceptPerSecond: 100 })
    const starts: number[] = []
    for (let at = 0; at < 5_000; at++) {
      const admission = made.enter('a')
      if (admission.kind === 'admitted') {
        starts.push(clock.nowMs + admission.delayMs)
        made.leave('a')
      }
      clock.nowMs += 1
    }
    const later = starts.filter(start => start > 2_000)
    for (const start of later) {
      const within = later.filter(other => other >= start && other < start + 1_000).length
      assert.ok(within <= 101, `${within} starts in a second`)
    }
  })

  test('one address that comes too fast does not slow the others', () => {
    const { limits: made } = limits({ acceptPerSecondPerIp: 5 })
    for (let at = 0; at < 50; at++) made.enter('greedy')
    assert.deepEqual(made.enter('modest'), { kind: 'admitted', delayMs: 0 })
  })

  test('addresses that came and went are forgotten', () => {
    const { clock, limits: made } = limits({ connections: 10 })
    for (let at = 0; at < 100_000; at++) {
      made.enter(`10.${at}`)
      made.leave(`10.${at}`)
      clock.nowMs += 1
    }
    assert.equal(made.openCount, 0)
    assert.ok(made.addressCount <= 21, `${made.addressCount} addresses`)
  })

  test('leaving twice, or without having come, changes nothing', () => {
    const { limits: made } = limits()
    made.leave('nobody')
    assert.equal(made.openCount, 0)
  })
})
