/**
 * A policy small enough to be believed at a glance: exact names, a trailing `*`, `*` for everybody, deny wins, allow
 * implies describe. What rules really mean is tested in test/acl/policy/.
 */

import type { Policy, Question, Subject, Verdict } from '../../src/acl/policy/policy.ts'
import { isTopicOfBrokers } from '../../src/acl/topic-names.ts'

const allowed: Verdict = Object.freeze({ allowed: true, why: 'rule' })
const denied: Verdict = Object.freeze({ allowed: false, why: 'default' })
const implyDescribe = new Set(['read', 'write', 'delete', 'alter'])

/** Rows as in policy files: `p, User:alice, topic, orders.*, write, allow`. */
export function plainPolicy(rows: readonly string[], generation = 1): Policy {
  const rules = rows.map(row => row.split(',').map(field => field.trim()))
  const matching = ({ principal }: Subject, { type, name, operation }: Question, effect: string): boolean =>
    rules.some(
      ([, who, ruleType, ruleName = '', act = '', eft]) =>
        eft === effect &&
        (who === '*' || who === principal) &&
        ruleType === type &&
        (ruleName.endsWith('*') ? name.startsWith(ruleName.slice(0, -1)) : ruleName === name) &&
        (act === '*' || act === operation || (effect === 'allow' && implies(act, operation))),
    )
  const implies = (act: string, operation: string): boolean =>
    (operation === 'describe' && implyDescribe.has(act)) || (operation === 'describeConfigs' && act === 'alterConfigs')
  return {
    generation,
    dependsOnMoreThanPrincipal: false,
    mustBeNamed: isTopicOfBrokers,
    decide: (subject, question) =>
      matching(subject, question, 'allow') && !matching(subject, question, 'deny') ? allowed : denied,
    decideAny: ({ principal }, { type, operation }) =>
      rules.some(
        ([, who, ruleType, , act, eft]) =>
          eft === 'allow' &&
          (who === '*' || who === principal) &&
          ruleType === type &&
          (act === '*' || act === operation),
      )
        ? allowed
        : denied,
  }
}
