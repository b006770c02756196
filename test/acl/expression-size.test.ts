import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RE2JS } from 're2js'
import { expandedSize } from '../../src/acl/expression-size.ts'

/** Anything that expressions are made of, in any order; what RE2 does not take is left out. */
function randomExpression(random: () => number): string {
  const parts = ['a', 'b', '.', '\\.', '[a-c]', '[]x]', '[^)(]', '\\Q(\\E', '\\d', '(', ')', '(?:', '|', '?', '*', '+']
  const repetitions = ['{2}', '{0,9}', '{3,}', '{12}', '{7,8}']
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)]!
  return Array.from({ length: 12 }, () => (random() < 0.2 ? pick(repetitions) : pick(parts))).join('')
}

describe('the size of an expression', () => {
  it('is counted with its repetitions written out', () => {
    assert.equal(expandedSize('abc'), 3)
    assert.equal(expandedSize('a{10}b{2,5}c{3,}'), 18)
    assert.equal(expandedSize('((a){10}){10}'), (3 * 10 + 2) * 10)
    assert.equal(expandedSize('\\({10}[(]{10}\\Q(((\\E'), 27)
  })

  it('is at least half of what RE2 makes of it', () => {
    let compiled = 0
    let state = 1
    const random = (): number => {
      state = (state * 48271) % 0x7fffffff
      return state / 0x7fffffff
    }
    for (let at = 0; at < 20_000; at++) {
      const expression = randomExpression(random)
      if (expandedSize(expression) > 5000) continue
      let size: number
      try {
        size = RE2JS.compile(expression).programSize()
      } catch {
        continue
      }
      compiled++
      assert.ok(size <= 2 * expandedSize(expression) + 10, `${expression}: ${size}, ${expandedSize(expression)}`)
    }
    assert.ok(compiled > 300, String(compiled))
  })
})
