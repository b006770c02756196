/** The demo's policy: two people with one role, and a rule against one of them that changes in the end. */
import { topic } from './orders.ts'

export const users = ['alice', 'bob'] as const
export type User = (typeof users)[number]

export const deny = {
  everything: `p, User:bob, topic, ${topic}, *, deny`,
  writing: `p, User:bob, topic, ${topic}, write, deny`,
} as const

export function policyText(rule: string): string {
  return `# The shop's people make topics, write to them, and read them in groups.
p, role:shop, topic, demo.*, *, allow
p, role:shop, group, demo-*, *, allow

# Not the orders, for bob. A deny wins over every allow.
${rule}

g, User:alice, role:shop
g, User:bob, role:shop
`
}
