import assert from 'node:assert/strict'
import { it } from 'node:test'
import { compilePolicy, readRules, runAtOnce } from '../../../src/acl/policy/compile-policy.ts'
import { explain } from '../../../src/acl/policy/explain.ts'
import { hostModel, plainModel, subject } from './policy-fixture.ts'
import { Random, randomPolicy, randomQuestion, randomSubject } from './random-policies.ts'

const explained = (text: string, withHost: boolean) => {
  const [model, files] = [withHost ? hostModel : plainModel, [{ path: 'policy.csv', text }]]
  return {
    policy: compilePolicy({ model, rules: files, superUsers: [], generation: 1, onError: () => {} }),
    rules: runAtOnce(readRules(files, withHost ? 'withHost' : 'plain')),
  }
}

it('an explanation names the rule that decides, and the others that match', () => {
  const parts = explained(
    'p, role:a, topic, o*, read, allow\np, *, topic, x, read, allow\np, User:u, topic, orders, *, deny\ng, User:u, role:a',
    false,
  )
  const question = { api: 'Fetch', operation: 'read', type: 'topic', name: 'orders' } as const
  const { verdict, members, matching } = explain({ ...parts, subject: subject('User:u'), question })
  assert.deepEqual([verdict.allowed, verdict.rule?.line], [false, 3])
  assert.deepEqual(members, ['User:u', 'role:a', '*'])
  assert.deepEqual(
    matching.map(({ line, effect }) => [line, effect]),
    [
      [1, 'allow'],
      [3, 'deny'],
    ],
  )
})

it('what an explanation says matches is what the index found: the first deny, else the first allow', () => {
  const random = new Random(11)
  for (let round = 0; round < 300; round++) {
    const { rows, withHost, words } = randomPolicy(random, 15)
    const parts = explained(rows.join('\n'), withHost)
    for (let number = 0; number < 20; number++) {
      const [asker, question] = [randomSubject(random, words), randomQuestion(random, words)]
      const { verdict, matching } = explain({ ...parts, subject: asker, question })
      const decider = matching.find(({ effect }) => effect === 'deny') ?? matching[0]
      assert.equal(verdict.rule?.line, decider?.line)
    }
  }
})
