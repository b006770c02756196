/**
 * Why a question is answered as it is: every rule that matches, for people. It holds each rule against the question on its own
 * and so takes milliseconds; what decides is the policy's own verdict.
 */
import { compileHostPattern } from './host-pattern.ts'
import { compileName, matchesAction } from './kafka-functions.ts'
import { isTooLongToMatch, readNamePattern } from './name-pattern.ts'
import type { Policy, Question, RuleOrigin, Subject, Verdict } from './policy.ts'
import { RoleGraph } from './role-graph.ts'
import type { RuleSet } from './rule.ts'
import { EVERYBODY } from './vocabulary.ts'

export interface MatchingRule extends RuleOrigin {
  readonly effect: 'allow' | 'deny'
}

export interface Explanation {
  readonly verdict: Verdict
  /** What the principal is taken for: itself, its roles, everybody. */
  readonly members: readonly string[]
  /** In the order of the files; the one that decides among them. */
  readonly matching: readonly MatchingRule[]
}

export interface Explained {
  readonly policy: Policy
  readonly rules: RuleSet
  readonly subject: Subject
  readonly question: Question
}

export function explain({ policy, rules, subject, question }: Explained): Explanation {
  const graph = new RoleGraph()
  for (const { member, role } of rules.links) graph.add(member, role)
  const members = [subject.principal, ...graph.rolesOf(subject.principal), EVERYBODY]
  const matching = rules.rules.filter(
    ({ who, type, name, act, effect, host }) =>
      members.includes(who) &&
      type === question.type &&
      matchesAction(question, act, effect === 'deny') &&
      matchesName(name, question.name, effect === 'deny') &&
      compileHostPattern(host)!(subject.host),
  )
  return {
    verdict: policy.decide(subject, question),
    members,
    matching: matching.map(({ origin, effect }) => ({ ...origin, effect })),
  }
}

/** As Holding.match finds it. */
function matchesName(pattern: string, name: string, isDeny: boolean): boolean {
  const isInDoubt = isTooLongToMatch(name) && readNamePattern(pattern).kind === 'expression'
  return isInDoubt ? isDeny : compileName(pattern)(name)
}
