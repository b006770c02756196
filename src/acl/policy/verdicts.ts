/** The verdicts that need no rule. Frozen, and the same objects for every policy. */
import type { Verdict } from './policy.ts'

const frozen = (allowed: boolean, why: Verdict['why']): Verdict => Object.freeze({ allowed, why })

export const superUserVerdict = frozen(true, 'superUser')
export const defaultVerdict = frozen(false, 'default')
export const errorVerdict = frozen(false, 'error')
