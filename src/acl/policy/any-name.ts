/**
 * "On at least one resource of this type", as AuthorizerInterface.authorizeByResourceType of Kafka decides it over patterns:
 * some allow that no deny dominates. Implications do not count there, and neither do they here.
 */
import type { Holding } from './holding.ts'
import { compileExpression, isTooLongToMatch, type NamePattern } from './name-pattern.ts'
import type { Question, Verdict } from './policy.ts'
import type { Asked, RuleTable } from './rule-table.ts'
import { defaultVerdict } from './verdicts.ts'
import { ANY_OPERATION } from './vocabulary.ts'

export interface AnyNameQuestion {
  readonly table: RuleTable
  readonly host: string
  readonly question: Omit<Question, 'name'>
  /** The question in numbers, as secondary: a deny by API counts, an allow by API does not. */
  readonly asked: Asked
}

interface Found {
  readonly pattern: NamePattern
  /** The first of the files. */
  readonly rule: number
}

export function judgeAnyName(holdings: readonly Holding[], asking: AnyNameQuestion): Verdict {
  const { table } = asking
  const allows = collect(holdings, number => allowsSome(number, asking))
  const denies = collect(holdings, number => deniesSome(number, asking))
  const dominate = dominationBy(denies)
  let dominant: number | undefined
  for (const { pattern, rule } of allows) {
    const deny = dominate(pattern)
    if (deny === undefined) return table.verdict(rule)
    dominant = Math.min(dominant ?? deny, deny)
  }
  return dominant === undefined ? defaultVerdict : table.verdict(dominant)
}

function collect(holdings: readonly Holding[], counts: (rule: number) => boolean): Found[] {
  const found = holdings.flatMap(holding =>
    [...holding.patterns()].flatMap(({ pattern, rules }) => {
      const rule = rules.find(counts)
      return rule === undefined ? [] : [{ pattern, rule }]
    }),
  )
  return found.sort((a, b) => a.rule - b.rule)
}

function allowsSome(number: number, { table, host, question }: AnyNameQuestion): boolean {
  const { act, effect } = table.rule(number)
  if (effect !== 'allow') return false
  const counts = act === ANY_OPERATION || act === question.operation || isProducersOwn(act, question)
  return counts && table.matchesHost(number, host)
}

/** Who may Produce anywhere may ask for the producer id that idempotence needs. */
const isProducersOwn = (act: string, { api, operation, type }: Omit<Question, 'name'>): boolean =>
  act === 'Produce' && api === 'InitProducerId' && operation === 'write' && type === 'topic'

function deniesSome(number: number, { table, host, asked }: AnyNameQuestion): boolean {
  return table.isDeny(number) && table.speaksOf(number, asked) && table.matchesHost(number, host)
}

/** Gives the first deny that leaves nothing of an allow's pattern, as far as their texts tell. */
function dominationBy(denies: readonly Found[]): (allow: NamePattern) => number | undefined {
  const exact = new Map<string, number>()
  const prefixes = new Map<string, number>()
  const expressions = new Map<string, number>()
  for (const { pattern, rule } of denies) {
    if (pattern.kind === 'exact') keepFirst(exact, pattern.name, rule)
    else if (pattern.kind === 'prefix') keepFirst(prefixes, pattern.prefix, rule)
    else keepFirst(expressions, pattern.expression, rule)
  }
  return allow => {
    const rules = beginningsOf(allow).flatMap(beginning => prefixes.get(beginning) ?? [])
    if (allow.kind === 'exact') {
      rules.push(...(exact.has(allow.name) ? [exact.get(allow.name)!] : []))
      for (const [source, rule] of expressions)
        if (isTooLongToMatch(allow.name) || compileExpression(source)(allow.name)) rules.push(rule)
    }
    if (allow.kind === 'expression')
      rules.push(...(expressions.has(allow.expression) ? [expressions.get(allow.expression)!] : []))
    return rules.length === 0 ? undefined : Math.min(...rules)
  }
}

function keepFirst(map: Map<string, number>, key: string, rule: number): void {
  if (!map.has(key)) map.set(key, rule)
}

/** Of everything that the pattern matches, from the empty one on. */
function beginningsOf(pattern: NamePattern): string[] {
  const text = pattern.kind === 'exact' ? pattern.name : pattern.kind === 'prefix' ? pattern.prefix : pattern.literal
  return Array.from({ length: text.length + 1 }, (_, length) => text.slice(0, length))
}
