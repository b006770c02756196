/**
 * Rows become rules and role links of a shipped model, or findings that refuse the file: a row of which one word is not understood
 * may have been the one that denies. Every message says what to write instead.
 */
import { closest } from '../../closest.ts'
import { ApiKey, apiKeyOf } from '../../protocol/api-key.ts'
import { questionsOf } from './api-questions.ts'
import { ANY_HOST, compileHostPattern } from './host-pattern.ts'
import { compileExpression, EXPRESSION_CHARS_MAX, readNamePattern } from './name-pattern.ts'
import type { ResourceType } from './policy.ts'
import { checkRoleChains } from './role-graph.ts'
import type { RoleLink, Rule, RuleSet } from './rule.ts'
import type { Finding, Row } from './rules-file.ts'
import type { ShippedModel } from './shipped-models.ts'
import {
  ANY_OPERATION,
  CLUSTER_NAME,
  EVERYBODY,
  isOperation,
  isResourceType,
  operations,
  ROLE_PREFIX,
  resourceTypes,
  supportedOperations,
  USER_PREFIX,
} from './vocabulary.ts'

export interface CheckedRows extends RuleSet {
  readonly findings: readonly Finding[]
}

const columns: Readonly<Record<ShippedModel, readonly string[]>> = {
  plain: ['who', 'type', 'name', 'operation or API', 'effect'],
  withHost: ['who', 'type', 'name', 'operation or API', 'host', 'effect'],
}

/** Yields after every few rows, so that a caller on the event loop can make way for others. */
export function* checkRows(rows: readonly Row[], model: ShippedModel): Generator<void, CheckedRows, void> {
  const rules: Rule[] = []
  const links: RoleLink[] = []
  const findings: Finding[] = []
  for (const [number, row] of rows.entries()) {
    if (number % 20 === 19) yield
    const problems = row.key === 'g' ? readLink(row, links) : readRule(row, model, rules)
    for (const message of problems) findings.push(errorAt(row, message))
  }
  return { rules, links, findings: [...findings, ...checkRoleChains(links)] }
}

const errorAt = ({ origin: { file, line } }: Row, message: string): Finding => ({
  severity: 'error',
  file,
  line,
  message,
})

function readLink(row: Row, links: RoleLink[]): string[] {
  const [member = '', role = '', ...more] = row.fields
  if (member === '' || role === '' || more.length > 0)
    return ['a g line has two fields: g, User:alice, role:orders-writer']
  const problems = [...problemsOfMember(member), ...(role.startsWith(ROLE_PREFIX) ? [] : [rolePrefixMissing(role)])]
  if (problems.length === 0) links.push({ member, role, origin: row.origin })
  return problems
}

const rolePrefixMissing = (role: string): string => `"${role}" is no role: write ${ROLE_PREFIX}${role}`

function problemsOfMember(member: string): string[] {
  if (member === EVERYBODY) return ['everybody cannot have a role: write its rules with * as who']
  return problemsOfWho(member)
}

function problemsOfWho(who: string): string[] {
  if (who === EVERYBODY) return []
  // The way kafka-acls says it. Taken for a user's name, a deny for everybody would deny nobody.
  if (who === `${USER_PREFIX}*`) return ['write * for everybody, ANONYMOUS too']
  if (who.startsWith(USER_PREFIX) || who.startsWith(ROLE_PREFIX))
    return who.indexOf(':') === who.length - 1 ? [`"${who}" lacks a name`] : []
  return [`"${who}" is nobody: write ${USER_PREFIX}${who}, ${ROLE_PREFIX}${who}, or * for everybody`]
}

function readRule(row: Row, model: ShippedModel, rules: Rule[]): string[] {
  if (row.key !== 'p')
    return [`a line begins with p (a rule), g (who has a role) or # (a comment), not with "${row.key}"`]
  const wanted = columns[model]
  if (row.fields.length !== wanted.length || row.fields.includes('')) return [problemOfCount(row.fields, model)]
  const [who = '', type = '', name = '', act = '', ...rest] = row.fields
  const effect = rest.at(-1)!
  const host = model === 'withHost' ? rest[0]! : ANY_HOST
  const problems = [
    ...problemsOfWho(who),
    ...(isResourceType(type) ? problemsOfTarget(type, name, act) : [unknownWord('type', type, resourceTypes)]),
    ...problemsOfName(name),
    ...problemsOfAct(act),
    ...(compileHostPattern(host) ? [] : [`"${host}" is no host: write an address, a network as 10.0.0.0/8, or *`]),
    ...(effect === 'allow' || effect === 'deny' ? [] : [unknownWord('effect', effect, ['allow', 'deny'])]),
  ]
  if (problems.length === 0)
    rules.push({
      who,
      type: type as ResourceType,
      name,
      act,
      host,
      effect: effect as Rule['effect'],
      origin: row.origin,
    })
  return problems
}

function problemOfCount(fields: readonly string[], model: ShippedModel): string {
  const wanted = columns[model]
  const shape = `p, ${wanted.join(', ')}`
  if (fields.includes('')) return `a field is empty: write all of ${shape}`
  const missesHost = model === 'withHost' && fields.length === columns.plain.length
  if (missesHost) return `the host is missing: write ${shape}, with * as host for any`
  const hasHost = model === 'plain' && fields.length === columns.withHost.length
  if (hasHost) return `a rule has 5 fields here: leave the host out, or use policies/model-with-host.conf as model`
  return `a rule has ${wanted.length} fields, this one ${fields.length}: write ${shape}, and "…" around a name with a comma`
}

function unknownWord(what: string, word: string, known: readonly string[]): string {
  const meant = closest(word, known)
  return meant === undefined
    ? `"${word}" is no ${what}: write one of ${known.join(', ')}`
    : `"${word}" is no ${what}: write ${meant}`
}

const apiNames = Object.keys(ApiKey)

function problemsOfAct(act: string): string[] {
  if (act === ANY_OPERATION || isOperation(act) || apiKeyOf(act) !== undefined) return []
  if (/^[A-Z]/.test(act) && closest(act, operations) === undefined) return [unknownWord('API key', act, apiNames)]
  return [unknownWord('operation or API key', act, [...operations, ...apiNames])]
}

/** Does this type know the operation, does this API ask about it, and is there such a cluster? */
function problemsOfTarget(type: ResourceType, name: string, act: string): string[] {
  const problems: string[] = []
  if (isOperation(act) && !supportedOperations[type].includes(act))
    problems.push(`${act} is never asked of a ${type}: write one of ${supportedOperations[type].join(', ')}`)
  if (apiKeyOf(act) !== undefined && questionsOf(act)?.[type] === undefined) problems.push(neverAsks(act, type))
  if (type === 'cluster' && !matchesCluster(name))
    problems.push(`the only name of type cluster is ${CLUSTER_NAME}: this rule can never match`)
  return problems
}

function neverAsks(api: string, type: ResourceType): string {
  const types = Object.keys(questionsOf(api) ?? {})
  const instead = types.length === 0 ? 'no rule changes what becomes of it' : `it asks about ${types.join(', ')}`
  return `${api} never asks about a ${type}, so this rule can never match: ${instead}`
}

function matchesCluster(name: string): boolean {
  const pattern = readNamePattern(name)
  if (pattern.kind === 'exact') return pattern.name === CLUSTER_NAME
  return pattern.kind === 'expression' || CLUSTER_NAME.startsWith(pattern.prefix)
}

function problemsOfName(name: string): string[] {
  const pattern = readNamePattern(name)
  if (pattern.kind !== 'expression') return []
  try {
    compileExpression(pattern.expression)
    return []
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    return [
      `the expression ~${shortened(pattern.expression)} ${why}: write RE2, at most ${EXPRESSION_CHARS_MAX} characters, without look-around or back-references`,
    ]
  }
}

const shortened = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text)
