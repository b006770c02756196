/** YAML or JSON text → plain values, with every syntax error at its line. JSON is YAML. */
import { LineCounter, parseDocument, type YAMLError } from 'yaml'
import { ConfigError, type Problem } from '../errors.ts'

export function parseSource(text: string, file: string): unknown {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, merge: true, prettyErrors: false })
  const found = [...document.errors, ...document.warnings]
  if (found.length > 0) throw new ConfigError(found.map(error => toProblem(error, file, text, lineCounter)))
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    // An alias without an anchor, or aliases that multiply beyond the bound.
    throw new ConfigError([{ path: file, message: cause instanceof Error ? cause.message : String(cause) }], { cause })
  }
}

function toProblem(error: YAMLError, file: string, text: string, lineCounter: LineCounter): Problem {
  const { line, col } = lineCounter.linePos(error.pos[0])
  const [written = ''] = text.split('\n').slice(line - 1, line)
  return { path: `${file}:${line}:${col}`, message: `${explained(error)}${ipv6Hint(written)}` }
}

function explained({ code, message }: YAMLError): string {
  return code === 'DUPLICATE_KEY' ? 'this key is here twice in one mapping: remove one' : message
}

/** `bind: [::]:9092` begins a YAML list. */
function ipv6Hint(written: string): string {
  return /\[[0-9a-fA-F]*:[0-9a-fA-F:.]*\]:\d/.test(written) ? ' (an IPv6 address with brackets needs quotes)' : ''
}
