import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compare, indexOf, oracleOf } from './oracle.ts'
import { Random, randomLink, randomPolicy, randomQuestion, randomRule, randomSubject } from './random-policies.ts'

const seed = Number(process.env.VKITM_SEED ?? Math.floor(Math.random() * 2 ** 31))

describe('the index and casbin', () => {
  it('decide alike: 20,000 questions to 400 random policies', async t => {
    t.diagnostic(`VKITM_SEED=${seed}`)
    const random = new Random(seed)
    const total = { allowed: 0, denied: 0, byDefault: 0 }
    for (let round = 0; round < 400; round++) {
      const counts = await compare(randomPolicy(random, random.below(21)), 50, random)
      total.allowed += counts.allowed
      total.denied += counts.denied
      total.byDefault += counts.byDefault
    }
    t.diagnostic(JSON.stringify(total))
    for (const count of Object.values(total))
      assert.ok(count > 1_000, `questions seldom meet rules: ${JSON.stringify(total)}`)
  })

  it('decide alike after every random change of the rules (CVE-2024-27309: a removal that took away too little)', async t => {
    t.diagnostic(`VKITM_SEED=${seed}`)
    const random = new Random(seed)
    for (let start = 0; start < 10; start++) {
      const policy = randomPolicy(random, 10)
      for (let change = 0; change < 20; change++) {
        const { rows, words, withHost } = policy
        if (rows.length > 0 && random.chance(0.5)) rows.splice(random.below(rows.length), 1)
        else rows.push(random.chance(0.3) ? randomLink(random, words) : randomRule(random, withHost, words))
        await compare(policy, 20, random)
      }
    }
  })

  it('would be seen to differ', async () => {
    const random = new Random(1)
    let differences = 0
    for (let round = 0; round < 50; round++) {
      const policy = randomPolicy(random, 10)
      const index = indexOf({ ...policy, rows: policy.rows.slice(0, -1) })
      const oracle = await oracleOf(policy)
      for (let number = 0; number < 50; number++) {
        const [subject, question] = [randomSubject(random, policy.words), randomQuestion(random, policy.words)]
        if (index.decide(subject, question).allowed !== oracle.decide(subject, question).allowed) differences++
      }
    }
    assert.ok(differences > 5, `${differences}`)
  })
})
