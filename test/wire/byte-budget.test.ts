import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ByteBudget, type Reservation } from '../../src/wire/byte-budget.ts'

function grown(budget: ByteBudget, bytes: number): { held: Reservation; granted: () => boolean } {
  const held = budget.hold(0)
  let isGranted = false
  isGranted = held.grow(bytes, () => {
    isGranted = true
  })
  return { held, granted: () => isGranted }
}

describe('ByteBudget', () => {
  test('grants at once what fits', () => {
    const budget = new ByteBudget(100)
    assert.ok(grown(budget, 60).granted())
    assert.ok(grown(budget, 40).granted())
    assert.equal(budget.inUseBytes, 100)
  })

  test('lets one reservation go beyond the limit, and only one', () => {
    const budget = new ByteBudget(100)
    const first = grown(budget, 1_000)
    const second = grown(budget, 1_000)
    assert.deepEqual([first.granted(), second.granted()], [true, false])
    first.held.release()
    assert.ok(second.granted())
    assert.equal(budget.inUseBytes, 1_000)
  })

  test('the one beyond the limit may grow further', () => {
    const budget = new ByteBudget(100)
    const { held, granted } = grown(budget, 200)
    assert.ok(granted())
    assert.ok(held.grow(300, () => assert.fail('granted twice')))
    assert.equal(budget.inUseBytes, 300)
  })

  test('bytes that are here already are held whatever the limit says', () => {
    const budget = new ByteBudget(100)
    budget.hold(500)
    assert.equal(budget.inUseBytes, 500)
  })

  test('grants in the order of asking', () => {
    const budget = new ByteBudget(100)
    const beyond = grown(budget, 101)
    const order: string[] = []
    budget.hold(0).grow(90, () => order.push('first'))
    budget.hold(0).grow(10, () => order.push('second'))
    beyond.held.release()
    assert.deepEqual(order, ['first', 'second'])
    assert.equal(budget.waitingCount, 0)
  })

  test('one that ends while it waits is never granted, and those behind it are', () => {
    const budget = new ByteBudget(100)
    const beyond = grown(budget, 101)
    const impatient = grown(budget, 50)
    const patient = grown(budget, 50)
    impatient.held.release()
    beyond.held.release()
    assert.deepEqual([impatient.granted(), patient.granted()], [false, true])
    assert.equal(budget.inUseBytes, 50)
  })

  test('the end of one that waits lets those behind it through where they fit', () => {
    const budget = new ByteBudget(100)
    const first = grown(budget, 60)
    grown(budget, 50)
    const large = grown(budget, 1_000)
    const small = grown(budget, 40)
    first.held.release()
    assert.deepEqual([large.granted(), small.granted()], [false, false])
    large.held.release()
    assert.ok(small.granted())
    assert.equal(budget.inUseBytes, 90)
  })

  test('asking again while waiting changes nothing; asking for less than is held is granted', () => {
    const budget = new ByteBudget(100)
    const beyond = grown(budget, 101)
    const { held, granted } = grown(budget, 50)
    assert.equal(
      held.grow(70, () => assert.fail('the second wish is not remembered')),
      false,
    )
    beyond.held.release()
    assert.ok(granted())
    assert.ok(held.grow(20, () => assert.fail('granted at once')))
    assert.equal(budget.inUseBytes, 50)
  })

  test('releasing twice gives back once', () => {
    const budget = new ByteBudget(100)
    const { held } = grown(budget, 40)
    const other = grown(budget, 30)
    held.release()
    held.release()
    assert.equal(budget.inUseBytes, 30)
    other.held.release()
    assert.equal(budget.inUseBytes, 0)
  })

  test('one that was released holds nothing any more, whatever it asks for', () => {
    const budget = new ByteBudget(100)
    const { held } = grown(budget, 40)
    held.release()
    held.grow(80, () => assert.fail('granted after its end'))
    assert.equal(budget.inUseBytes, 0)
  })

  test('a grant that releases another from within its callback keeps the accounts right', () => {
    const budget = new ByteBudget(100)
    const beyond = grown(budget, 101)
    const second = budget.hold(0)
    const first = budget.hold(0)
    first.grow(60, () => first.release())
    second.grow(60, () => second.release())
    beyond.held.release()
    assert.deepEqual([budget.inUseBytes, budget.waitingCount], [0, 0])
  })

  test('never locks up: whatever asks, grows and ends in whatever order, somebody always proceeds and all is given back', () => {
    const step = fc.record({ who: fc.nat(7), bytes: fc.integer({ min: 1, max: 300 }), ends: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), steps => {
        const budget = new ByteBudget(100)
        const holders = Array.from({ length: 8 }, () => ({ held: budget.hold(0), bytes: 0 }))
        for (const { who, bytes, ends } of steps) {
          const holder = holders[who]!
          if (ends) {
            holder.held.release()
            holder.held = budget.hold(0)
            holder.bytes = 0
          } else if (!holder.held.isWaiting) {
            holder.bytes += bytes
            holder.held.grow(holder.bytes, () => undefined)
          }
          const waiting = holders.filter(({ held }) => held.isWaiting)
          assert.equal(budget.waitingCount, waiting.length)
          // Who waits, waits for somebody who holds bytes and does not wait: that one can come to its end.
          if (waiting.length > 0) {
            assert.ok(
              holders.some(({ held, bytes: has }) => !held.isWaiting && has > 0),
              'everybody waits',
            )
          }
        }
        for (const { held } of holders) held.release()
        assert.deepEqual([budget.inUseBytes, budget.waitingCount], [0, 0])
      }),
    )
  })
})
