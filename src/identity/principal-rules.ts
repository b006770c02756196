/**
 * From the subject of a verified certificate to a principal, by Kafka's `ssl.principal.mapping.rules`: the first rule
 * whose pattern matches the whole subject decides; without a match there is no principal and no connection.
 */
import { ConfigError, TlsError } from '../errors.ts'
import { translatePattern } from './java-pattern.ts'
import { type Match, parseReplacement, type Replacement } from './java-replacement.ts'
import { type MappingRule, parseRules } from './mapping-rule.ts'
import { type Principal, userPrincipal } from './principal.ts'

/** The name a rule gives the subject; undefined where the rule does not match. */
type Mapping = (subject: string) => string | undefined

const LETTERS = {
  asMatched: (name: string) => name,
  lower: (name: string) => name.toLowerCase(),
  upper: (name: string) => name.toUpperCase(),
} as const

function matchOf(parameters: readonly unknown[]): Match {
  const last = parameters.at(-1)
  const named = typeof last === 'object' ? (last as Match['named']) : {}
  return { groups: parameters as Match['groups'], named }
}

function compile(rule: MappingRule): Mapping {
  if (rule.kind === 'default') return subject => subject
  const source = translatePattern(rule.pattern)
  const whole = new RegExp(`^(?:${source})$`, 'u')
  // Matches the empty text too, and so tells the groups that there are.
  const probe = new RegExp(`(?:${source})|`, 'u').exec('')!
  const groups = { count: probe.length - 1, names: new Set(Object.keys(probe.groups ?? {})) }
  const replacement: Replacement = parseReplacement(rule.replacement, groups)
  const letters = LETTERS[rule.letters]
  // Kafka replaces every find of the pattern, not the one match of the whole; for an unanchored pattern these differ.
  const every = new RegExp(source, 'gu')
  return subject => {
    if (!whole.test(subject)) return undefined
    return letters(subject.replace(every, (...parameters) => replacement(matchOf(parameters))))
  }
}

function compileAll(text: string, path: string): Mapping[] {
  try {
    return parseRules(text).map(compile)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError([{ path, message: `${JSON.stringify(text)}: ${reason}` }], { cause })
  }
}

export type PrincipalRules = (subject: string) => Principal

/**
 * `rules` as the configuration lists them; an entry may hold several with commas between, as in a broker's properties.
 * No rule at all is DEFAULT. What comes back throws a TlsError where a subject names nobody.
 */
export function parsePrincipalRules(rules: readonly string[]): PrincipalRules {
  const parsed = rules.flatMap((text, at) => compileAll(text, `rules[${at}]`))
  const mappings = parsed.length === 0 ? [compile({ kind: 'default' })] : parsed
  return subject => {
    if (subject === '') throw new TlsError('an empty subject names nobody')
    for (const mapping of mappings) {
      const name = mapping(subject)
      if (name !== undefined) return userPrincipal(name)
    }
    throw new TlsError('no principal rule matches the subject of the client certificate', { details: { subject } })
  }
}
