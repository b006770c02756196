/** What two clusters cannot have in common, taken out of answers. The table is the whole list. */
import type { ApiKey } from '../../../src/protocol/api-key.ts'
import { Span } from '../../../src/wire/span.ts'
import { rules } from './normalisations.ts'
import type { Side } from './side.ts'

export type Plain = null | boolean | number | string | Plain[] | { [name: string]: Plain }

/** The answer as plain data that equals the other side's when a client could not tell them apart. */
export function normalised(key: ApiKey, response: unknown, side: Side): Plain {
  return walk(key, response, '', side)
}

/** Elements by their own text: clients look entries up by name, and brokers gather them in maps. */
export function sorted(plain: Plain): Plain {
  if (Array.isArray(plain)) {
    const elements = plain.map(element => ({ element: sorted(element), text: '' }))
    if (plain.some(element => typeof element !== 'object')) return elements.map(({ element }) => element)
    for (const each of elements) each.text = JSON.stringify(each.element)
    return elements.sort((a, b) => (a.text < b.text ? -1 : 1)).map(({ element }) => element)
  }
  if (plain === null || typeof plain !== 'object') return plain
  return Object.fromEntries(Object.entries(plain).map(([name, value]) => [name, sorted(value)]))
}

function walk(key: ApiKey, value: unknown, path: string, side: Side): Plain {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Span) return `${value.byteLength} bytes of records`
  if (Buffer.isBuffer(value)) return value.toString('hex')
  if (Array.isArray(value)) return value.map(element => walk(key, element, path, side))
  if (value === null || typeof value !== 'object') return (value ?? null) as Plain
  const plain: { [name: string]: Plain } = {}
  for (const [name, field] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`
    const rule = rules.find(({ keys, field }) => (keys === undefined || keys.includes(key)) && field.test(at))
    const seen = rule === undefined ? field : rule.becomes(field, { side, among: value as Record<string, unknown> })
    if (seen !== undefined) plain[name] = walk(key, seen, at, side)
  }
  return plain
}
