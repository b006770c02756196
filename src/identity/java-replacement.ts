/**
 * The replacement half of a mapping rule: Java's `$1`, `${name}` and `\` as `Matcher.replaceAll` reads them, parsed once
 * so that what could only fail at a client's handshake fails when the configuration is read.
 */

type Piece = string | { readonly group: number | string }

/** What one match of the pattern holds. */
export interface Match {
  readonly groups: readonly (string | undefined)[]
  readonly named: Readonly<Record<string, string | undefined>>
}

export interface PatternGroups {
  readonly count: number
  readonly names: ReadonlySet<string>
}

export type Replacement = (match: Match) => string

const NAMED = /^\$\{([A-Za-z][A-Za-z0-9]*)\}/

/** Java reads as many digits as still name a group: `$12` with three groups is `$1` and a `2`. */
function numbered(text: string, count: number): { group: number; length: number } {
  let group = Number(text[1])
  let length = 2
  for (let next = text[length] ?? ''; /\d/.test(next); next = text[length] ?? '') {
    if (group * 10 + Number(next) > count) break
    group = group * 10 + Number(next)
    length++
  }
  return { group, length }
}

function reference(text: string, { count, names }: PatternGroups): { piece: Piece; length: number } {
  const name = NAMED.exec(text)
  if (name !== null) {
    if (!names.has(name[1]!)) throw new Error(`${name[0]} names no group of the pattern`)
    return { piece: { group: name[1]! }, length: name[0].length }
  }
  if (!/^\$\d/.test(text)) throw new Error('$ without a group (write \\$ for the character)')
  const { group, length } = numbered(text, count)
  if (group > count) throw new Error(`$${group} names no group: the pattern has ${count === 0 ? 'none' : count}`)
  return { piece: { group }, length }
}

/**
 * Kafka takes a number beyond the groups literally and puts a backslash before it, unless there are no groups at all.
 * It counts positions in the text as it was: a second backslash lands one too early and the rule fails at its first
 * client. Here it fails when it is read.
 */
function withLiteralNumbers(text: string, count: number): string {
  if (count === 0) return text
  let escaped = text
  for (const { index, 1: digits = '' } of text.matchAll(/\$(\d+)/g)) {
    let group = Number(digits)
    while (group > count && group >= 10) group = Math.floor(group / 10)
    if (!digits.startsWith('0') && group > count) escaped = `${escaped.slice(0, index)}\\${escaped.slice(index)}`
  }
  return escaped
}

export function parseReplacement(replacement: string, groups: PatternGroups): Replacement {
  const text = withLiteralNumbers(replacement, groups.count)
  const pieces: Piece[] = []
  for (let at = 0; at < text.length; ) {
    if (text[at] === '$') {
      const { piece, length } = reference(text.slice(at), groups)
      pieces.push(piece)
      at += length
      continue
    }
    if (text[at] === '\\') at++
    if (at === text.length) throw new Error('the replacement ends in a backslash')
    pieces.push(text[at++]!)
  }
  return match => pieces.map(piece => (typeof piece === 'string' ? piece : held(piece.group, match))).join('')
}

const held = (group: number | string, { groups, named }: Match): string =>
  (typeof group === 'number' ? groups[group] : named[group]) ?? ''
