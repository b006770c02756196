/**
 * One line of a rules file as casbin reads it (its csv-parse, with `trim` and `relax_quotes`), without the corners where casbin
 * quietly changes a value: those are refused.
 */

export class RowError extends Error {}

/** The fields of a line that is neither empty nor a comment. */
export function readRow(line: string): string[] {
  const fields: string[] = []
  let at = 0
  for (;;) {
    at = skipSpace(line, at)
    const { value, end } = line[at] === '"' ? readQuoted(line, at) : readPlain(line, at)
    refuseWhatCasbinChanges(value)
    fields.push(value)
    if (end >= line.length) return fields
    at = end + 1
  }
}

export const isComment = (line: string): boolean => /^\s*(#|$)/.test(line)

interface Field {
  readonly value: string
  /** Where the comma is, or the line ends. */
  readonly end: number
}

function readPlain(line: string, start: number): Field {
  const comma = line.indexOf(',', start)
  const end = comma === -1 ? line.length : comma
  return { value: line.slice(start, end).replace(/[ \t\f\r]+$/, ''), end }
}

/** `""` within the quotes is one quote. */
function readQuoted(line: string, start: number): Field {
  let closing = line.indexOf('"', start + 1)
  while (closing !== -1 && line[closing + 1] === '"') closing = line.indexOf('"', closing + 2)
  if (closing === -1)
    throw new RowError('a quoted field does not end: close it with ", and write "" for a quote within it')
  const end = skipSpace(line, closing + 1)
  if (end < line.length && line[end] !== ',')
    throw new RowError('text follows the closing quote of a field: write "" for a quote within it, or a comma after it')
  const value = line.slice(start + 1, closing).replaceAll('""', '"')
  return { value, end }
}

function refuseWhatCasbinChanges(value: string): void {
  if (value !== value.trim())
    throw new RowError('a field begins or ends with space, which casbin would drop: use an expression, ~[ ]name')
  if (value.includes('""') || (value.startsWith('"') && value.endsWith('"')))
    throw new RowError('a field holds quotes that casbin would drop: use an expression, ~["]name["]')
}

/** What csv-parse trims: not all that `trim()` does. */
const SPACE = new Set<string | undefined>([' ', '\t', '\f', '\r'])

function skipSpace(line: string, start: number): number {
  let at = start
  while (SPACE.has(line[at])) at++
  return at
}
