/**
 * A Java regular expression as a JavaScript one that matches the same texts, or a refusal: a rule copied from a broker's
 * properties must not quietly mean something else here. Patterns come from the configuration, which is trusted.
 */

/** Outside a class Java's `.` stops at U+0085 too, which JavaScript's does not. */
const ANY = '[^\\n\\r\\u0085\\u2028\\u2029]'
/** Java's are ASCII alone. */
const WHITE_SPACE = ' \\t\\n\\v\\f\\r'

/** Escapes that mean the same in both, given JavaScript's `u` flag. */
const SHARED_ESCAPES = new Set('dDwWtnrf')
const SYNTAX = new Set('^$\\.*+?()[]{}|/')
/** Boundaries look at ASCII words, as Java's do since 19. */
const SHARED_OUTSIDE_CLASSES = new Set('bBk123456789')
const CATEGORY = /^\\[pP]\{[A-Z][a-z]?\}/

interface Scan {
  readonly pattern: string
  at: number
  inClass: boolean
}

function refuse(what: string): never {
  throw new Error(`${what} is not supported in a pattern`)
}

/** `at` stands on the backslash. */
function translateEscape(scan: Scan): string {
  const { pattern, inClass } = scan
  const category = CATEGORY.exec(pattern.slice(scan.at))?.[0]
  if (category !== undefined) {
    scan.at += category.length
    return category
  }
  const [letter] = pattern.slice(scan.at + 1)
  if (letter === undefined) throw new Error('the pattern ends in a backslash')
  scan.at += 1 + letter.length
  if (letter === 's') return inClass ? WHITE_SPACE : `[${WHITE_SPACE}]`
  if (letter === 'S') return inClass ? refuse('\\S in a class') : `[^${WHITE_SPACE}]`
  if (letter === 'x' || letter === 'u') return translateCodePoint(scan, letter === 'x' ? 2 : 4, letter)
  if (SHARED_ESCAPES.has(letter) || (!inClass && SHARED_OUTSIDE_CLASSES.has(letter))) return `\\${letter}`
  if (/[A-Za-z0-9]/.test(letter)) refuse(`\\${letter}`)
  return SYNTAX.has(letter) || (inClass && letter === '-') ? `\\${letter}` : letter
}

function translateCodePoint(scan: Scan, digits: number, letter: string): string {
  const hex = scan.pattern.slice(scan.at, scan.at + digits)
  if (!new RegExp(`^[0-9a-fA-F]{${digits}}$`).test(hex)) refuse(`\\${letter} without ${digits} hexadecimal digits`)
  scan.at += digits
  return `\\${letter}${hex}`
}

function translateInClass(scan: Scan): string {
  const { pattern } = scan
  const character = pattern[scan.at++]!
  if (character === '[') refuse('[ inside a class (a union)')
  if (character === '&' && pattern[scan.at] === '&') refuse('&& inside a class (an intersection)')
  if (character === ']') scan.inClass = false
  return character
}

function openClass(scan: Scan): string {
  const { pattern } = scan
  const negated = pattern[scan.at + 1] === '^'
  scan.at += negated ? 2 : 1
  // Java takes this bracket literally; JavaScript would end the class.
  if (pattern[scan.at] === ']') refuse('] as the first character of a class (write \\])')
  scan.inClass = true
  return negated ? '[^' : '['
}

const GROUPS = ['(?:', '(?=', '(?!', '(?<=', '(?<!']

function openGroup(scan: Scan): string {
  const { pattern, at } = scan
  scan.at++
  if (pattern[at + 1] !== '?') return '('
  const known =
    GROUPS.find(opening => pattern.startsWith(opening, at)) ??
    /^\(\?<[A-Za-z][A-Za-z0-9]*>/.exec(pattern.slice(at))?.[0]
  if (known === undefined) refuse(`${pattern.slice(at, at + 4)}… (flags, atomic groups)`)
  scan.at = at + known.length
  return known
}

function step(scan: Scan): string {
  const character = scan.pattern[scan.at]!
  if (character === '\\') return translateEscape(scan)
  if (scan.inClass) return translateInClass(scan)
  if (character === '[') return openClass(scan)
  if (character === '(') return openGroup(scan)
  scan.at++
  if (character === '.') return ANY
  if (character === ']' || character === '}') return `\\${character}`
  if (character === '{') return quantifier(scan)
  if (/[*+?]/.test(character) && scan.pattern[scan.at] === '+') refuse(`${character}+ (possessive)`)
  return character
}

function quantifier(scan: Scan): string {
  const found = /^\{\d+(,\d*)?\}/.exec(scan.pattern.slice(scan.at - 1))?.[0]
  if (found === undefined) throw new Error('{ without a count (write \\{ for the character)')
  scan.at += found.length - 1
  if (scan.pattern[scan.at] === '+') refuse(`${found}+ (possessive)`)
  return found
}

/** The source of a JavaScript expression, to be compiled with the `u` flag. */
export function translatePattern(pattern: string): string {
  const scan: Scan = { pattern, at: 0, inClass: false }
  let source = ''
  while (scan.at < pattern.length) source += step(scan)
  return source
}
