/**
 * From what was asked to the smallest policy that allows it: exact names, nothing that another rule implies, nothing that
 * nobody asked for. A person reads it before it counts.
 */
import type { Refusal } from './acls-to-policy.ts'
import { ANY_HOST } from './host-pattern.ts'
import { type Asked, anyResource, Observed, type ObservedResource } from './observed.ts'
import type { Operation, ResourceType } from './policy.ts'
import { type NamePrefix, prefixesOf } from './prefixes.ts'
import type { ShippedModel } from './shipped-models.ts'
import { ANY_OPERATION, CLUSTER_NAME, implies, operations, resourceTypes, supportedOperations } from './vocabulary.ts'
import { fitsIntoRow, writeName, writeRow } from './write-row.ts'

export interface LearntRule {
  readonly who: string
  readonly type: ResourceType
  /** As it is, not as rules spell it. */
  readonly name: string
  readonly act: Operation | typeof ANY_OPERATION
  readonly host: string
  /** How often what it allows was asked for, and through which APIs. */
  readonly times: number
  readonly apis: readonly string[]
  readonly row: string
}

/** A rule that would stand for several, and allow more than was asked for. */
export interface Suggestion {
  readonly who: string
  readonly row: string
  readonly replaces: number
}

export interface LearntPolicy {
  /** By principal, type, name, host, operation. */
  readonly rules: readonly LearntRule[]
  readonly suggestions: readonly Suggestion[]
  /** What no rule can say. */
  readonly refusals: readonly Refusal[]
}

export interface LearnOptions {
  readonly model: ShippedModel
  /** Suggest a prefix for at least this many names; none: no suggestions. */
  readonly namesMin?: number | undefined
}

export function learn(observed: Observed, { model, namesMin }: LearnOptions): LearntPolicy {
  const refusals: Refusal[] = []
  const rules: LearntRule[] = []
  const named = [...observed.resources, ...grantsOfAny(observed)].filter(({ name }) => name !== anyResource)
  for (const resource of named.sort(byPlace)) {
    const why = problemOf(resource)
    if (why === undefined) for (const rule of rulesOf(resource, model)) rules.push(rule)
    else refusals.push({ what: described(resource), why })
  }
  return { rules, suggestions: namesMin === undefined ? [] : suggestionsFor(rules, { model, namesMin }), refusals }
}

/**
 * Write on any topic is granted by every rule that lets somebody write one. Who asked for nothing of the kind gets what
 * does as well and is less: idempotentWrite on the cluster.
 */
function grantsOfAny(observed: Observed): ObservedResource[] {
  const writers = new Set<string>()
  const cluster = new Map<string, ObservedResource>()
  for (const resource of observed.resources) {
    if (resource.type === 'topic' && resource.name !== anyResource && resource.asked.has('write'))
      writers.add(askerOf(resource))
    if (resource.type === 'cluster') cluster.set(askerOf(resource), resource)
  }
  const grants = new Observed(Number.POSITIVE_INFINITY)
  for (const resource of observed.resources) {
    const asker = askerOf(resource)
    if (resource.name !== anyResource || writers.has(asker)) continue
    const { principal, host } = resource
    const [{ times, apis }] = [...resource.asked.values()] as [Asked]
    const known = cluster.get(asker)?.asked
    const grant = { principal, host, operation: 'idempotentWrite', type: 'cluster', name: CLUSTER_NAME } as const
    if (known === undefined) grants.add({ ...grant, api: apis[0]!, times })
    else if (!known.has('idempotentWrite')) known.set('idempotentWrite', { times, apis })
  }
  return [...grants.resources]
}

const askerOf = ({ principal, host }: ObservedResource): string => `${principal}\n${host}`

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function byPlace(a: ObservedResource, b: ObservedResource): number {
  return (
    compare(a.principal, b.principal) ||
    resourceTypes.indexOf(a.type) - resourceTypes.indexOf(b.type) ||
    compare(String(a.name), String(b.name)) ||
    compare(a.host, b.host)
  )
}

function problemOf({ principal, type, name }: ObservedResource): string | undefined {
  if (principal === 'User:*') return 'a rule for User:* would be one for everybody'
  if (!fitsIntoRow(principal)) return 'no row can hold this principal'
  if (writeName({ kind: 'exact', name: String(name) }) === undefined) return 'no rule can have this name'
  return type === 'cluster' && name !== CLUSTER_NAME ? `the only name of type cluster is ${CLUSTER_NAME}` : undefined
}

const described = ({ principal, type, name }: ObservedResource): string =>
  `${type} ${JSON.stringify(name)} for ${JSON.stringify(principal)}`

function rulesOf({ principal, host, type, name, asked }: ObservedResource, model: ShippedModel): LearntRule[] {
  const written = writeName({ kind: 'exact', name: String(name) })!
  return actsFor(type, [...asked.keys()]).map(act => {
    const covered = [...asked].filter(([operation]) => act === ANY_OPERATION || implies(act, operation))
    const [times, apis] = [sum(covered), [...new Set(covered.flatMap(([, { apis }]) => apis))].sort()]
    const row = writeRow(['p', principal, type, written, act, ...(model === 'withHost' ? [host] : []), 'allow'])
    return { who: principal, type, name: String(name), act, host, times, apis, row }
  })
}

const sum = (asked: readonly (readonly [Operation, Asked])[]): number =>
  asked.reduce((total, [, { times }]) => total + times, 0)

/** Without what another one implies, in the vocabulary's order. */
function actsFor(type: ResourceType, asked: readonly Operation[]): (Operation | typeof ANY_OPERATION)[] {
  // Delete on the cluster: Kafka asks for it, no rule can name it, and one for all operations grants it.
  if (asked.some(operation => !supportedOperations[type].includes(operation))) return [ANY_OPERATION]
  const isImplied = (operation: Operation): boolean =>
    asked.some(other => other !== operation && implies(other, operation))
  return operations.filter(operation => asked.includes(operation) && !isImplied(operation))
}

function suggestionsFor(
  rules: readonly LearntRule[],
  { model, namesMin }: LearnOptions & { namesMin: number },
): Suggestion[] {
  const alike = new Map<string, LearntRule[]>()
  for (const rule of rules) {
    const key = [rule.who, rule.type, rule.act, rule.host].join('\n')
    const others = alike.get(key)
    if (others === undefined) alike.set(key, [rule])
    else others.push(rule)
  }
  return [...alike.values()].flatMap(group => {
    const [{ who, type, act, host }] = group as [LearntRule]
    const toSuggestion = ({ prefix, names }: NamePrefix): Suggestion[] => {
      const name = writeName({ kind: 'prefix', prefix })
      if (name === undefined) return []
      const row = writeRow(['p', who, type, name, act, ...(model === 'withHost' ? [host] : []), 'allow'])
      return [{ who, row, replaces: names }]
    }
    return prefixesOf(
      group.map(({ name }) => name),
      namesMin,
    ).flatMap(toSuggestion)
  })
}

/** Rules under a model without hosts say nothing of them. */
export const hostFor = (model: ShippedModel, host: string): string => (model === 'withHost' ? host : ANY_HOST)
