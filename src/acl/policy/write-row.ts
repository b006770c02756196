/** Names and whole rows as a rules file spells them: what csv-row.ts and name-pattern.ts read back unchanged. */
import { EXPRESSION_CHARS_MAX, type NamePattern, readNamePattern } from './name-pattern.ts'

/** A row of a rules file; every field fits (`fitsIntoRow`). */
export const writeRow = (fields: readonly string[]): string => fields.map(quoted).join(', ')

/** The simplest way to write an exact name or a prefix; undefined where there is none. */
export function writeName(wanted: Exclude<NamePattern, { readonly kind: 'expression' }>): string | undefined {
  const text = wanted.kind === 'prefix' ? wanted.prefix : wanted.name
  const tilde = text.replace(/^~/, '\\~')
  const plain = wanted.kind === 'prefix' ? `${tilde}*` : tilde.replace(/\*$/, '\\*')
  if (plain !== '' && fitsIntoRow(plain) && sameName(readNamePattern(plain), wanted)) return plain
  const expression = `${quoteForRe2(text)}${wanted.kind === 'prefix' ? '.*' : ''}`
  return expression.length <= EXPRESSION_CHARS_MAX ? `~${expression}` : undefined
}

const sameName = (read: NamePattern, wanted: NamePattern): boolean => JSON.stringify(read) === JSON.stringify(wanted)

/** What csv-row.ts reads back unchanged. */
export const fitsIntoRow = (value: string): boolean =>
  value === value.trim() && !/[\r\n]|""/.test(value) && !(value.startsWith('"') && value.endsWith('"'))

/** Everything but letters and digits by its number, so that space and quotes fit into a row too. */
const quoteForRe2 = (text: string): string =>
  text.replace(/[^A-Za-z0-9]/gu, character => `\\x{${character.codePointAt(0)!.toString(16)}}`)

const quoted = (field: string): string => (/^"|,/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
