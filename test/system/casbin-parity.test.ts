import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compare } from '../acl/policy/oracle.ts'
import { Random, randomPolicy } from '../acl/policy/random-policies.ts'

const seed = Number(process.env.VKITM_SEED ?? Math.floor(Math.random() * 2 ** 31))
const POLICIES = 2_000
const QUESTIONS = 500

describe('the index and casbin decide alike', () => {
  it('1,000,000 questions to 2,000 random policies of up to 20 rules', { timeout: 1_800_000 }, async t => {
    t.diagnostic(`VKITM_SEED=${seed}`)
    const random = new Random(seed)
    let allowed = 0
    for (let round = 0; round < POLICIES; round++)
      allowed += (await compare(randomPolicy(random, random.below(21)), QUESTIONS, random)).allowed
    t.diagnostic(`${POLICIES * QUESTIONS} questions, ${allowed} allowed`)
    assert.ok(allowed > 50_000, `${allowed}`)
  })

  it('2,000 questions to one policy of 10,000 rules', { timeout: 1_800_000 }, async t => {
    t.diagnostic(`VKITM_SEED=${seed}`)
    const random = new Random(seed)
    await compare(randomPolicy(random, 10_000), 2_000, random)
  })
})
