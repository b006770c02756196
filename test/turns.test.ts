import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { Turns, type TurnsOptions } from '../src/turns.ts'

const unbounded = Number.POSITIVE_INFINITY

/** Takes turns for keys and writes down in which order they come. */
function taking(options: Partial<TurnsOptions>) {
  const turns = new Turns({ atOnce: unbounded, atOncePerKey: unbounded, waitingPerKeyMax: unbounded, ...options })
  const begun: string[] = []
  const ends: (() => void)[] = []
  const take = (key: string): boolean => {
    const coming = turns.take(key)
    void coming?.then(end => {
      begun.push(key)
      ends.push(end)
    })
    return coming !== undefined
  }
  return { turns, begun, ends, take }
}

describe('turns', () => {
  test('so many begin at once, and each end lets the next one begin', async () => {
    const { begun, ends, take } = taking({ atOnce: 2 })
    for (const key of ['a', 'b', 'c', 'd']) take(key)
    await turn()
    assert.deepEqual(begun, ['a', 'b'])
    ends[1]!()
    ends[1]!()
    await turn()
    assert.deepEqual(begun, ['a', 'b', 'c'])
  })

  test('one key that wants much waits for itself, and not the others for it', async () => {
    const { begun, ends, take } = taking({ atOnce: 1 })
    for (let at = 0; at < 100; at++) take('greedy')
    take('other')
    for (let at = 0; at < 3; at++) {
      await turn()
      ends.at(-1)!()
    }
    assert.deepEqual(begun.slice(0, 3), ['greedy', 'greedy', 'other'])
  })

  test('so many of a key at once, however much room there is', async () => {
    const { begun, ends, take } = taking({ atOncePerKey: 3 })
    for (let at = 0; at < 5; at++) take('a')
    take('b')
    await turn()
    assert.deepEqual(begun.toSorted(), ['a', 'a', 'a', 'b'])
    ends[0]!()
    await turn()
    assert.equal(begun.length, 5)
  })

  test('what is one too many of a key is turned away', async () => {
    const { take } = taking({ atOnce: 1, waitingPerKeyMax: 2 })
    take('a')
    await turn()
    assert.deepEqual([take('a'), take('a'), take('a'), take('b')], [true, true, false, true])
  })

  test('whatever comes and ends, the bounds hold, everybody gets a turn and nobody is remembered', async () => {
    const keys = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(
        keys,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (all, atOnce, each) => {
          const turns = new Turns({ atOnce, atOncePerKey: each, waitingPerKeyMax: unbounded })
          const underWay = new Map<string, number>()
          let [inAll, done] = [0, 0]
          await Promise.all(
            all.map(async key => {
              const end = await turns.take(key)!
              inAll++
              underWay.set(key, (underWay.get(key) ?? 0) + 1)
              assert.ok(inAll <= atOnce && underWay.get(key)! <= each)
              await turn()
              inAll--
              underWay.set(key, underWay.get(key)! - 1)
              done++
              end()
            }),
          )
          assert.deepEqual([done, turns.keyCount], [all.length, 0])
        },
      ),
    )
  })
})
