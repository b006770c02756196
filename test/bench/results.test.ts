import assert from 'node:assert/strict'
import { test } from 'node:test'
import { summarise } from '../../bench/results.ts'
import type { Goal, Row, Sample } from '../../bench/row.ts'
import { quantile } from '../../bench/statistics.ts'

function rowWith(goal: Goal): Row {
  const figure = { id: 'cpu', title: 'CPU', unit: 's', digits: 2, goal, clock: true } as const
  return { id: 'row', figures: [figure], process: 'kept', includesDirect: true, measure: async () => ({}) }
}

function judged(goal: Goal, samples: Record<string, number[]>, disturbed = false) {
  const rounds = Object.entries(samples).map(([name, values]): [string, Sample[]] => [
    name,
    values.map(cpu => ({ cpu })),
  ])
  return summarise(rowWith(goal), new Map(rounds), disturbed)[0]!
}

test('a ratio goal is held by the medians, not by single rounds', () => {
  const goal = { against: 'HAProxy', max: 1.25 } as const
  const held = judged(goal, { HAProxy: [1, 1, 9], vkitm: [1.2, 1.2, 9] })
  assert.equal(held.ratio, 1.2)
  assert.equal(held.verdict, 'held')
  assert.equal(judged(goal, { HAProxy: [1, 1, 9], vkitm: [1.3, 1.3, 1] }).verdict, 'missed')
})

test('a goal of added time is counted from direct, an absolute goal from nothing', () => {
  const samples = { direct: [1], HAProxy: [5], vkitm: [1.3] }
  assert.equal(judged({ against: 'direct', max: 0.2 }, samples).verdict, 'missed')
  assert.equal(judged({ against: 'direct', max: 0.4 }, samples).verdict, 'held')
  assert.equal(judged({ against: 'nothing', max: 1.2 }, samples).verdict, 'missed')
  assert.equal(judged({ against: 'nothing', max: 1.4 }, samples).verdict, 'held')
})

test('without the one to compare with there is no verdict', () => {
  const { verdict, ratio } = judged({ against: 'HAProxy', max: 1.25 }, { vkitm: [1] })
  assert.equal(verdict, undefined)
  assert.equal(ratio, undefined)
})

test('what the clock says on a busy machine is neither held nor missed', () => {
  const goal = { against: 'nothing', max: 2 } as const
  assert.equal(judged(goal, { vkitm: [1] }, true).verdict, 'disturbed')
  assert.equal(judged(goal, {}, true).verdict, undefined)
})

test('a quantile between two ranks is interpolated', () => {
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5)
  assert.equal(quantile([10, 20], 0.99), 19.9)
  assert.throws(() => quantile([], 0.5), RangeError)
})
