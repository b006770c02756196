/** Policies for tests, from text. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compilePolicy } from '../../../src/acl/policy/compile-policy.ts'
import type { Policy, Question, Subject, Verdict } from '../../../src/acl/policy/policy.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')
export const policyFile = (name: string): { path: string; text: string } => ({
  path: `policies/${name}`,
  text: readFileSync(join(root, 'policies', name), 'utf8'),
})
export const plainModel = policyFile('model.conf')
export const hostModel = policyFile('model-with-host.conf')

export interface Made {
  readonly superUsers?: readonly string[]
  readonly model?: { path: string; text: string }
  readonly onError?: (error: unknown) => void
}

export function policyOf(rules: string, { superUsers = [], model = plainModel, onError = rethrow }: Made = {}): Policy {
  return compilePolicy({ model, rules: [{ path: 'policy.csv', text: rules }], superUsers, generation: 1, onError })
}

function rethrow(error: unknown): never {
  throw error
}

export const subject = (principal: string, host = '10.0.0.1'): Subject => ({
  principal,
  host,
  listener: 'clients',
  clientId: 'test',
})

/** `Fetch read topic orders`, the name being the rest. */
export function question(text: string): Question {
  const [, api, operation, type, name] = /^(\S+) (\S+) (\S+) ([\s\S]*)$/.exec(text)!
  return { api, operation, type, name } as unknown as Question
}

export const ask = (policy: Policy, principal: string, text: string, host?: string): Verdict =>
  policy.decide(subject(principal, host), question(text))
export const allows = (policy: Policy, principal: string, text: string, host?: string): boolean =>
  ask(policy, principal, text, host).allowed
