/** A question as people write it: `Fetch read topic orders`; `InitProducerId write any topic` for "on any topic". */
import type { Policy, Question, Subject, Verdict } from '../acl/policy/policy.ts'
import { isOperation, isResourceType, operations, resourceTypes } from '../acl/policy/vocabulary.ts'
import { apiKeyOf } from '../protocol/api-key.ts'

export type WrittenQuestion =
  | { readonly kind: 'named'; readonly question: Question }
  | { readonly kind: 'any'; readonly question: Omit<Question, 'name'> }

/** Throws an Error that says what to write. */
export function readQuestion(text: string): WrittenQuestion {
  const [, api = '', operation = '', third = '', rest = ''] = /^\s*(\S+)\s+(\S+)\s+(\S+)\s+(.*\S)\s*$/s.exec(text) ?? []
  if (rest === '')
    throw new Error(`"${text}" is no question: write API, operation, type and name, as in Fetch read topic orders`)
  const isAny = third === 'any'
  const type = isAny ? rest : third
  if (apiKeyOf(api) === undefined) throw new Error(`"${api}" in "${text}" is no API key`)
  if (!isOperation(operation)) throw new Error(`"${operation}" in "${text}" is no operation: ${operations.join(', ')}`)
  if (!isResourceType(type)) throw new Error(`"${type}" in "${text}" is no type: ${resourceTypes.join(', ')}`)
  const question = { api, operation, type }
  return isAny ? { kind: 'any', question } : { kind: 'named', question: { ...question, name: rest } }
}

export function answer(policy: Policy, subject: Subject, { kind, question }: WrittenQuestion): Verdict {
  return kind === 'any' ? policy.decideAny(subject, question) : policy.decide(subject, question)
}

export interface WrittenSubject {
  readonly principal: string
  readonly host?: string | undefined
  readonly listener?: string | undefined
  readonly clientId?: string | undefined
}

export const subjectOf = ({
  principal,
  host = '127.0.0.1',
  listener = '',
  clientId = '',
}: WrittenSubject): Subject => ({
  principal,
  host,
  listener,
  clientId,
})
