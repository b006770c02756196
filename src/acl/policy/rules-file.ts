/** A rules file as text becomes rows with the lines they stand on. What the rows mean is checked in check-rules.ts. */
import { isComment, RowError, readRow } from './csv-row.ts'
import type { RuleOrigin } from './policy.ts'

/** A file's content, and the path by which people know it. */
export interface RulesFile {
  readonly path: string
  readonly text: string
}

export interface Row {
  /** The first field: `p` or `g`, or a model's own section name (`g2`). */
  readonly key: string
  readonly fields: readonly string[]
  readonly origin: RuleOrigin
}

/** What is wrong or doubtful with a policy. An error refuses it; a warning does not. */
export interface Finding {
  readonly severity: 'error' | 'warning'
  readonly file: string
  /** From 1; 0 where it concerns the file as a whole. */
  readonly line: number
  /** What is wrong, and what to write instead. */
  readonly message: string
}

export interface FileRows {
  readonly rows: readonly Row[]
  readonly findings: readonly Finding[]
}

export const FILE_CHARS_MAX = 64 * 1_048_576
export const ROWS_MAX = 1_000_000

/** Yields after every few rows, so that a caller on the event loop can make way for others. */
export function* readRulesFile({ path, text }: RulesFile): Generator<void, FileRows, void> {
  const error = (line: number, message: string): Finding => ({ severity: 'error', file: path, line, message })
  if (text.length > FILE_CHARS_MAX)
    return { rows: [], findings: [error(0, `has more than ${FILE_CHARS_MAX / 1_048_576} MiB: split or shorten it`)] }
  const rows: Row[] = []
  const findings: Finding[] = []
  let line = 0
  for (const whole of linesOf(text)) {
    line++
    if (line % 100 === 0) yield
    if (isComment(whole)) continue
    if (rows.length === ROWS_MAX)
      return { rows, findings: [...findings, error(line, `more than ${ROWS_MAX} rules: use prefixes and roles`)] }
    try {
      const [key = '', ...fields] = readRow(whole)
      rows.push({ key, fields, origin: { file: path, line, text: whole.trim() } })
    } catch (cause) {
      if (!(cause instanceof RowError)) throw cause
      findings.push(error(line, cause.message))
    }
  }
  return { rows, findings }
}

/** Without the byte order mark that some editors write; LF or CRLF. */
function* linesOf(text: string): Generator<string, void, void> {
  let start = text.startsWith('\uFEFF') ? 1 : 0
  while (start <= text.length) {
    const feed = text.indexOf('\n', start)
    const end = feed === -1 ? text.length : feed
    yield text.slice(start, end)
    start = end + 1
  }
}
