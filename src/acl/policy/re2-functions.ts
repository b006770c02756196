/**
 * casbin's matching functions for models of the user's own, on RE2 and without its traps: its regular expressions take exponential
 * time, a pattern that ends in `/:` never returns, and ipMatch writes to the console. What they mean is casbin's:
 * https://casbin.org/docs/function
 */
import { LRUCache } from 'lru-cache'
import { RE2JS } from 're2js'
import { compileHostPattern, type HostMatch } from './host-pattern.ts'
import { EXPRESSION_CHARS_MAX, MATCHED_CHARS_MAX } from './name-pattern.ts'

export type MatchFunction = (...args: unknown[]) => boolean | string

const COMPILED_MAX = 10_000

export function createMatchFunctions(): ReadonlyMap<string, MatchFunction> {
  const compiled = new LRUCache<string, RE2JS>({ max: COMPILED_MAX })
  const networks = new LRUCache<string, HostMatch>({ max: COMPILED_MAX })
  const expression = (source: string): RE2JS => {
    const known = compiled.get(source)
    if (known !== undefined) return known
    if (source.length > EXPRESSION_CHARS_MAX)
      throw new Error(`an expression has more than ${EXPRESSION_CHARS_MAX} characters`)
    const made = RE2JS.compile(source)
    compiled.set(source, made)
    return made
  }
  const whole = (text: string, source: string): boolean => expression(source).matches(bounded(text))
  const inNetwork = (address: string, source: string): boolean => {
    const matches = networks.get(source) ?? compileHostPattern(source)
    if (matches === undefined || source === '*') throw new Error(`"${source}" is neither an address nor a network`)
    networks.set(source, matches)
    return matches(address)
  }
  const functions: Readonly<Record<string, (...texts: [string, string, string]) => boolean | string>> = {
    regexMatch: (text, source) => expression(source).matcher(bounded(text)).find(),
    keyMatch: (key, pattern) => keyRest(key, pattern) !== undefined,
    keyGet: (key, pattern) => (pattern.includes('*') ? (keyRest(key, pattern) ?? '') : ''),
    keyMatch2: (key, pattern) => whole(key, pattern === '*' ? '.*' : withColons(pattern)),
    keyGet2: (key, pattern, name) =>
      whole(key, pattern === '*' ? '.*' : withColons(pattern)) ? pathPart(key, pattern, `:${name}`) : '',
    keyMatch3: (key, pattern) => whole(key, withBraces(pattern)),
    keyMatch4: (key, pattern) => sameForSame(expression(withGroups(pattern)), bounded(key), namesIn(pattern)),
    keyMatch5: (key, pattern) => whole(key.replace(/\?.*$/s, ''), withBraces(pattern)),
    globMatch: (text, pattern) => whole(text, fromGlob(pattern)),
    ipMatch: (address, network) => inNetwork(address, network),
  }
  return new Map(Object.entries(functions).map(([name, match]) => [name, (...args) => match(...textsOf(args))]))
}

function textsOf([first, second, third]: readonly unknown[]): [string, string, string] {
  return [String(first ?? ''), String(second ?? ''), String(third ?? '')]
}

function bounded(text: string): string {
  if (text.length > MATCHED_CHARS_MAX) throw new Error(`a value has more than ${MATCHED_CHARS_MAX} characters`)
  return text
}

/** What stands for the first `*`; undefined where the key does not match. Whatever follows the `*` is ignored, as casbin does. */
function keyRest(key: string, pattern: string): string | undefined {
  const star = pattern.indexOf('*')
  if (star === -1) return key === pattern ? '' : undefined
  return key.startsWith(pattern.slice(0, star)) ? key.slice(star) : undefined
}

const withStars = (pattern: string): string => pattern.replaceAll('/*', '/.*')
const withColons = (pattern: string): string => withStars(pattern).replace(/\/:[^/]+/g, '/[^/]+')
const withBraces = (pattern: string): string => withStars(pattern).replace(/\/\{[^/]+?\}/g, '/[^/]+')
const withGroups = (pattern: string): string => withStars(pattern).replace(/\/\{[^/]+?\}/g, '/([^/]+)')
const namesIn = (pattern: string): string[] => Array.from(pattern.matchAll(/\/\{([^/]+?)\}/g), ([, name = '']) => name)

/** `/{id}/x/{id}` wants the same text in both places. */
function sameForSame(expression: RE2JS, key: string, names: readonly string[]): boolean {
  const matcher = expression.matcher(key)
  if (!matcher.matches()) return false
  const values = new Map<string, string | null>()
  return names.every((name, place) => {
    const value = matcher.group(place + 1)
    if (!values.has(name)) values.set(name, value)
    return values.get(name) === value
  })
}

function pathPart(key: string, pattern: string, part: string): string {
  const parts = (text: string): string[] => text.split('/').filter(piece => piece !== '')
  const place = parts(pattern).indexOf(part)
  return place === -1 ? '' : (parts(key)[place] ?? '')
}

/** `*` and `?` stay within a `/`, `**` does not; `[…]` is a class, `{a,b}` a choice. A leading dot is a character like any other. */
function fromGlob(glob: string): string {
  return glob
    .replace(/\*\*|[\s\S]/g, part => globParts.get(part) ?? part.replace(/[.+^$|()\\]/, '\\$&'))
    .replaceAll('[!', '[^')
}

const globParts = new Map([
  ['**', '[\\s\\S]*'],
  ['*', '[^/]*'],
  ['?', '[^/]'],
  ['{', '(?:'],
  ['}', ')'],
  [',', '|'],
])
