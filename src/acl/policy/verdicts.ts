/** The verdicts that need no rule. Frozen, and the same objects for every policy. */
import type { OnPolicyError, Question, Subject, Verdict } from './policy.ts'

const frozen = (allowed: boolean, why: Verdict['why']): Verdict => Object.freeze({ allowed, why })

export const superUserVerdict = frozen(true, 'superUser')
export const defaultVerdict = frozen(false, 'default')
export const errorVerdict = frozen(false, 'error')

export interface Failure {
  readonly subject: Subject
  readonly question: Omit<Question, 'name'>
}

/** The denial for what a policy could not answer, reported. */
export function failed(onError: OnPolicyError, error: unknown, { subject, question }: Failure): Verdict {
  try {
    onError(error, subject, question)
  } catch {
    // The answer is a denial either way; a log that is full must not close the connection.
  }
  return errorVerdict
}
