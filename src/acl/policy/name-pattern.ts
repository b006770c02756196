/**
 * The `name` of a rule: exact; a trailing `*` is a prefix; `~…` is an expression for the whole name. A backslash before a leading
 * `~` or a trailing `*` takes it literally. Everywhere else a name is itself, byte for byte.
 */
import { RE2JS } from 're2js'

export type NamePattern =
  | { readonly kind: 'exact'; readonly name: string }
  | { readonly kind: 'prefix'; readonly prefix: string }
  /** `literal` begins every name that the expression matches. */
  | { readonly kind: 'expression'; readonly expression: string; readonly literal: string }

export const EXPRESSION_CHARS_MAX = 512
/** RE2 takes time in proportion to the name, and group ids may have 32,767 bytes. Topics have 249 at most. */
export const MATCHED_CHARS_MAX = 1_024

export function readNamePattern(text: string): NamePattern {
  if (text.startsWith('~')) return readExpression(text.slice(1))
  const name = text.startsWith('\\~') ? text.slice(1) : text
  if (name.endsWith('\\*')) return { kind: 'exact', name: `${name.slice(0, -2)}*` }
  return name.endsWith('*') ? { kind: 'prefix', prefix: name.slice(0, -1) } : { kind: 'exact', name }
}

function readExpression(expression: string): NamePattern {
  // A name that a line cannot hold is written in code points, and is one name all the same.
  if (expression.length <= EXPRESSION_CHARS_MAX && asciiName.test(expression))
    return { kind: 'exact', name: unescaped(expression) }
  const literal = literalBeginning(expression)
  // `~orders-.*` says no more than `orders-*`, which is found faster.
  if (expression.slice(literal.length) === '.*') return { kind: 'prefix', prefix: literal }
  return { kind: 'expression', expression, literal }
}

/** Letters, digits, `_`, `-` and ASCII in code points: `orders\x{2c}a`. */
const asciiName = /^(?:[\w-]|\\x\{[0-7]?[0-9A-Fa-f]\})+$/

function unescaped(expression: string): string {
  return expression.replace(/\\x\{([0-9A-Fa-f]+)\}/g, (_, code: string) =>
    String.fromCodePoint(Number.parseInt(code, 16)),
  )
}

/** Letters, digits, `_` and `-` up to the first character that may mean something else: less than there could be, never more. */
function literalBeginning(expression: string): string {
  if (expression.includes('|')) return ''
  const [letters = ''] = /^[\w-]*/.exec(expression) ?? []
  // The last one may be optional or repeated: `orders?`, `a{0}`.
  return /^[*?{]/.test(expression.slice(letters.length)) ? letters.slice(0, -1) : letters
}

export const isTooLongToMatch = (name: string): boolean => name.length > MATCHED_CHARS_MAX

/** Does the expression match the whole name? Throws for one that RE2 refuses (look-around, back-references). */
export function compileExpression(expression: string): (name: string) => boolean {
  if (expression.length > EXPRESSION_CHARS_MAX)
    throw new Error(`has ${expression.length} characters; at most ${EXPRESSION_CHARS_MAX} are allowed`)
  // DOTALL: a name is data, and a line feed in one must not hide it from a rule that denies.
  const compiled = RE2JS.compile(expression, RE2JS.DOTALL)
  return name => {
    if (isTooLongToMatch(name))
      throw new Error(`a name of more than ${MATCHED_CHARS_MAX} characters is matched by no expression`)
    return compiled.matches(name)
  }
}
