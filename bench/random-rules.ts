// Rules of every kind, as many as asked for.
import { readFileSync } from 'node:fs'
import { loadPolicy } from '../src/acl/policy/compile-policy.ts'
import type { Policy } from '../src/acl/policy/policy.ts'

/** What a gateway under a policy runs with in the rows about CPU. */
export const rulesInForce = 10_000

/** As many, and those that let whoever has no name do what the rows do. */
export function policyInForce(rules: number): string {
  const types = ['topic', 'group', 'transactionalId']
  return [rulesText(rules), ...types.map(type => `p, User:ANONYMOUS, ${type}, *, *, allow`)].join('\n')
}

/** Users, roles and everybody; exact names, prefixes and expressions; operations and APIs; one in ten denies. */
export function rulesText(rules: number): string {
  const rows = Array.from({ length: rules }, (_, at) => {
    const kind = at % 10
    const who = kind < 3 ? `User:u${at % 1_000}` : kind === 9 ? '*' : `role:r${at % 200}`
    const name = kind === 0 || kind === 9 ? `topic.${at}` : kind === 5 ? `~t${at}\\.[a-z]+` : `team${at}.*`
    return `p, ${who}, topic, ${name}, ${kind === 4 ? 'Fetch' : 'read'}, ${kind === 7 ? 'deny' : 'allow'}`
  })
  const links = Array.from({ length: 5_000 }, (_, at) => `g, User:u${at % 1_000}, role:r${(at * 7) % 200}`)
  return [...rows, ...links].join('\n')
}

/** Under the shipped model. */
export function loadRules(text: string): Promise<Policy> {
  return loadPolicy({
    model: { path: 'policies/model.conf', text: readFileSync('policies/model.conf', 'utf8') },
    rules: [{ path: 'policy.csv', text }],
    superUsers: [],
    generation: 1,
    onError: error => {
      throw error
    },
    knownNames: () => [],
    pause: () => undefined,
  })
}
