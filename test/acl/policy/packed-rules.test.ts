import assert from 'node:assert/strict'
import { it } from 'node:test'
import { readRules, runAtOnce } from '../../../src/acl/policy/compile-policy.ts'
import { packRules, unpackRules } from '../../../src/acl/policy/packed-rules.ts'
import { Random, randomPolicy } from './random-policies.ts'

it('rules come out of a structured clone as they were packed, odd names and paths too', () => {
  const random = new Random(3)
  for (let round = 0; round < 100; round++) {
    const { rows, withHost } = randomPolicy(random, random.below(30))
    const files = [
      { path: 'a b\n"c".csv', text: rows.join('\n') },
      { path: 'other.csv', text: '# nothing' },
    ]
    const { rules, links, findings } = runAtOnce(readRules(files, withHost ? 'withHost' : 'plain'))
    assert.deepEqual(findings, [])
    assert.deepEqual(runAtOnce(unpackRules(structuredClone(packRules({ rules, links })))), { rules, links })
  }
})
