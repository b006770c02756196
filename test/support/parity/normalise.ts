/** What two clusters cannot have in common, taken out of answers. The table is the whole list. */
import type { ApiKey } from '../../../src/protocol/api-key.ts'
import { Span } from '../../../src/wire/span.ts'
import { type Names, rules } from './normalisations.ts'

export type Plain = null | boolean | number | string | Plain[] | { [name: string]: Plain }

/** The answer as plain data that equals the other side's when a client could not tell them apart. */
export function normalised(key: ApiKey, response: unknown, side: Names): Plain {
  return walk({ key, side, topic: undefined }, response, '')
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

interface Place {
  readonly key: ApiKey
  readonly side: Names
  /** The nearest topic around. */
  readonly topic: string | undefined
}

function walk(place: Place, value: unknown, path: string): Plain {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Span) return `${value.byteLength} bytes of records`
  if (Buffer.isBuffer(value)) return value.toString('hex')
  if (Array.isArray(value)) return value.map(element => walk(place, element, path))
  if (value === null || typeof value !== 'object') return (value ?? null) as Plain
  const among = value as Record<string, unknown>
  const here = { ...place, topic: topicOf(among, place.side) ?? place.topic }
  const plain: { [name: string]: Plain } = {}
  for (const [name, field] of Object.entries(among)) {
    const at = path === '' ? name : `${path}.${name}`
    const rule = rules.find(
      rule => (rule.keys?.includes(place.key) ?? true) && rule.field.test(at) && (rule.where?.(here) ?? true),
    )
    const seen = rule === undefined ? field : rule.becomes(field, { side: place.side, among })
    if (seen !== undefined) plain[name] = walk(here, seen, at)
  }
  return plain
}

function topicOf({ name, topic, topicName, topicId }: Record<string, unknown>, side: Names): string | undefined {
  const named = [topic, topicName, name].find(each => typeof each === 'string' && each !== '')
  return (named as string | undefined) ?? side.nameOfId.get(topicId as string)
}
