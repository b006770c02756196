/** The shipped models decided by casbin itself, which the index must equal. */
import { createCasbinPolicy } from '../../../src/acl/policy/casbin-policy.ts'
import { runAtOnce } from '../../../src/acl/policy/compile-policy.ts'
import type { Policy } from '../../../src/acl/policy/policy.ts'
import { readRulesFile } from '../../../src/acl/policy/rules-file.ts'
import { hostModel, plainModel, policyOf } from './policy-fixture.ts'
import { type Random, type RandomPolicy, randomQuestion, randomSubject } from './random-policies.ts'

export async function oracleOf({ rows, withHost }: RandomPolicy): Promise<Policy> {
  const { rows: parsed } = runAtOnce(readRulesFile({ path: 'policy.csv', text: rows.join('\n') }))
  return createCasbinPolicy({
    model: withHost ? hostModel : plainModel,
    rows: parsed,
    superUsers: [],
    generation: 1,
    onError: rethrow,
    knownNames: () => [],
    pause: async () => {},
  })
}

export const indexOf = ({ rows, withHost }: RandomPolicy): Policy =>
  policyOf(rows.join('\n'), { model: withHost ? hostModel : plainModel })

function rethrow(error: unknown): never {
  throw error
}

export interface Compared {
  allowed: number
  denied: number
  byDefault: number
}

/** Throws with everything needed to see it again where the two differ. */
export async function compare(policy: RandomPolicy, questions: number, random: Random): Promise<Compared> {
  const [index, oracle] = [indexOf(policy), await oracleOf(policy)]
  const counts: Compared = { allowed: 0, denied: 0, byDefault: 0 }
  for (let number = 0; number < questions; number++) {
    const [subject, question] = [randomSubject(random, policy.words), randomQuestion(random, policy.words)]
    const [ours, theirs] = [index.decide(subject, question), oracle.decide(subject, question)]
    if (ours.allowed !== theirs.allowed || ours.why !== theirs.why)
      throw new Error(`differs: ${JSON.stringify({ subject, question, ours, theirs })}\n${policy.rows.join('\n')}`)
    if (ours.allowed) counts.allowed++
    else if (ours.why === 'rule') counts.denied++
    else counts.byDefault++
  }
  return counts
}
