/**
 * One rule of Kafka's `ssl.principal.mapping.rules`: `DEFAULT`, or `RULE:pattern/replacement/` with `L` or `U` behind.
 * This file cuts a text into rules as Kafka's parser would; what a pattern means is `java-pattern.ts`'s.
 */

export type MappingRule =
  | { readonly kind: 'default' }
  | {
      readonly kind: 'rule'
      readonly pattern: string
      readonly replacement: string
      readonly letters: 'asMatched' | 'lower' | 'upper'
    }

const LETTERS = { L: 'lower', U: 'upper', '': 'asMatched' } as const

/** A part of a rule up to its slash; a backslash takes the next character along. */
const PART = String.raw`((?:\\.|[^\\/])*)/`
const RULE = new RegExp(`^RULE:${PART}${PART}([LU]?)`, 's')

interface Cut {
  readonly rule: MappingRule
  readonly rest: string
}

function cut(text: string): Cut | undefined {
  if (text.startsWith('DEFAULT')) return { rule: { kind: 'default' }, rest: text.slice('DEFAULT'.length) }
  const found = RULE.exec(text)
  if (found === null) return undefined
  const [whole, pattern, replacement, letters] = found as unknown as [string, string, string, keyof typeof LETTERS]
  return { rule: { kind: 'rule', pattern, replacement, letters: LETTERS[letters] }, rest: text.slice(whole.length) }
}

const HOW = 'write DEFAULT or RULE:pattern/replacement/ with L or U behind for lower or upper case'

/** `text` is one rule, or several with commas between, as broker properties have them. Throws an Error that says why. */
export function parseRules(text: string): MappingRule[] {
  const rules: MappingRule[] = []
  let rest = text.trim()
  while (rest !== '') {
    const found = cut(rest)
    if (found === undefined) throw new Error(`"${rest}" is no rule: ${HOW}`)
    rules.push(found.rule)
    const behind = found.rest.trimStart()
    if (behind !== '' && !behind.startsWith(','))
      throw new Error(
        `"${behind}" after "${rest.slice(0, rest.length - found.rest.length)}" is no part of a rule: ${HOW}`,
      )
    rest = behind.slice(1).trimStart()
  }
  return rules
}
