import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { shortTurns } from '../../src/gateway/short-turns.ts'

test('many who work long at once have one turn between two looks at the traffic', async () => {
  const pause = shortTurns()
  let looks = 0
  let isOver = false
  const traffic = async (): Promise<void> => {
    for (; !isOver; looks++) await setImmediate()
  }
  const turns: number[] = []
  const work = async (): Promise<void> => {
    for (let at = 0; at < 4; at++) {
      const others = pause()
      if (others === undefined) continue
      await others
      turns.push(looks)
      for (const until = performance.now() + 3; performance.now() < until; );
    }
  }
  const until = performance.now() + 3
  while (performance.now() < until);
  const looking = traffic()
  await Promise.all([work(), work(), work()])
  isOver = true
  await looking
  assert.equal(turns.length, 12)
  assert.equal(new Set(turns).size, turns.length)
})
