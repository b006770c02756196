/**
 * What is doubtful about rules that can be used: they are in force, and may not do what their author thinks. What refuses a file
 * is in rules-file.ts and check-rows.ts.
 */
import { apiKeyOf } from '../../protocol/api-key.ts'
import { isSecondary, questionsOf } from './api-questions.ts'
import { siblingsOf } from './api-siblings.ts'
import { ANY_HOST } from './host-pattern.ts'
import { readNamePattern } from './name-pattern.ts'
import type { Operation, ResourceType, RuleOrigin } from './policy.ts'
import type { RoleLink, Rule, RuleSet } from './rule.ts'
import type { Finding } from './rules-file.ts'
import { ROLE_PREFIX } from './vocabulary.ts'
import { WholeDenies } from './whole-denies.ts'

export function warningsOf(rules: RuleSet): Finding[] {
  return [
    ...duplicates(rules),
    ...unheldRoles(rules),
    ...emptyRoles(rules),
    ...neverMatching(rules.rules),
    ...openSiblings(rules.rules),
    ...shadowed(rules.rules),
  ].sort((a, b) => (a.file === b.file ? a.line - b.line : 0))
}

const warning = ({ file, line }: RuleOrigin, message: string): Finding => ({ severity: 'warning', file, line, message })
const place = ({ file, line }: RuleOrigin): string => `${file}:${line}`

/** The same words, whatever stands between them; JSON keeps apart what commas would join. */
const wordsOf = ({ who, type, name, act, host, effect }: Rule): string =>
  JSON.stringify([who, type, name, act, host, effect])

function duplicates({ rules, links }: RuleSet): Finding[] {
  const first = new Map<string, RuleOrigin>()
  const known = [
    ...rules.map(rule => ({ words: wordsOf(rule), origin: rule.origin })),
    ...links.map(({ member, role, origin }) => ({ words: JSON.stringify([member, role]), origin })),
  ]
  return known.flatMap(({ words, origin }) => {
    const earlier = first.get(words)
    if (earlier === undefined) first.set(words, origin)
    return earlier === undefined ? [] : [warning(origin, `says what ${place(earlier)} says: take one out`)]
  })
}

function unheldRoles({ rules, links }: RuleSet): Finding[] {
  const held = new Set(links.map(({ role }) => role))
  const seen = new Set<string>()
  return rules.flatMap(({ who, origin }) => {
    if (!who.startsWith(ROLE_PREFIX) || held.has(who) || seen.has(who)) return []
    seen.add(who)
    return [warning(origin, `nobody has ${who}: add g, User:somebody, ${who}, or take its rules out`)]
  })
}

function emptyRoles({ rules, links }: RuleSet): Finding[] {
  const speaking = new Set(rules.map(({ who }) => who))
  const passing = new Set(links.map(({ member }) => member))
  return links
    .filter(({ role }: RoleLink) => !speaking.has(role) && !passing.has(role))
    .map(({ role, origin }) => warning(origin, `${role} has no rules: write some, or take this line out`))
}

const TOPIC_CHARS_MAX = 249

function neverMatching(rules: readonly Rule[]): Finding[] {
  return rules.flatMap(({ type, name, act, effect, origin }) => {
    const pattern = readNamePattern(name)
    const fixed = pattern.kind === 'exact' ? pattern.name : pattern.kind === 'prefix' ? pattern.prefix : ''
    if (type === 'topic' && (!/^[\w.-]*$/.test(fixed) || fixed.length > TOPIC_CHARS_MAX))
      return [
        warning(
          origin,
          `no topic has such a name, so this never matches: topics have letters, digits, ".", "_" and "-"`,
        ),
      ]
    if (effect === 'allow' && grantsNothing(act, type))
      return [
        warning(
          origin,
          `${act} asks about a ${type} beside its purpose, which a rule by API never grants: allow the operation`,
        ),
      ]
    return []
  })
}

function grantsNothing(act: string, type: ResourceType): boolean {
  if (apiKeyOf(act) === undefined || (act === 'InitProducerId' && type !== 'topic')) return false
  const asked = questionsOf(act)?.[type] ?? []
  return asked.every(word => isSecondary(act, type, word.replace('?', '') as Operation))
}

/** A deny by API that leaves another way to the same thing. */
function openSiblings(rules: readonly Rule[]): Finding[] {
  const denials = new Set(
    rules.filter(({ effect }) => effect === 'deny').map(rule => wordsOf({ ...rule, host: ANY_HOST })),
  )
  return rules.flatMap(rule => {
    if (rule.effect === 'allow' || apiKeyOf(rule.act) === undefined) return []
    const open = siblingsOf(rule.act).filter(
      api =>
        questionsOf(api)?.[rule.type] !== undefined && !denials.has(wordsOf({ ...rule, act: api, host: ANY_HOST })),
    )
    if (open.length === 0) return []
    return [
      warning(
        rule.origin,
        `${open.join(', ')} can do the same as ${rule.act}: deny ${open.length === 1 ? 'it' : 'them'} too, or deny the operation`,
      ),
    ]
  })
}

/** Allows that a wider deny of the same who, or of everybody, leaves nothing of. */
function shadowed(rules: readonly Rule[]): Finding[] {
  const denies = new WholeDenies(rules)
  return rules.flatMap(rule => {
    const deny = rule.effect === 'allow' ? denies.over(rule) : undefined
    return deny === undefined
      ? []
      : [warning(rule.origin, `${place(deny.origin)} denies all that this allows: take one of them out`)]
  })
}
