import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DeadlineSweep } from '../../src/downstream/deadline-sweep.ts'

describe('DeadlineSweep', () => {
  test('asks everybody who is watched with the time of now, and has no timer for nobody', t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    let nowMs = 0
    const sweep = new DeadlineSweep(() => nowMs)
    const asked: string[] = []
    const one = { checkDeadlines: (at: number) => void asked.push(`one ${at}`) }
    const two = {
      checkDeadlines: (at: number) => {
        asked.push(`two ${at}`)
        sweep.remove(two)
      },
    }
    sweep.add(one)
    sweep.add(two)
    nowMs = 300
    t.mock.timers.tick(300)
    nowMs = 600
    t.mock.timers.tick(300)
    assert.deepEqual(asked, ['one 300', 'two 300', 'one 600'])
    sweep.remove(one)
    t.mock.timers.tick(10_000)
    assert.equal(asked.length, 3)
    sweep.add(one)
    t.mock.timers.tick(300)
    assert.equal(asked.length, 4)
    sweep.remove(one)
  })
})
