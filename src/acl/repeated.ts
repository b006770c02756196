/** What a request names more than once. */
import { append } from './split.ts'

/** The values that come more than once. */
export function repeatedValues<T>(values: Iterable<T>): ReadonlySet<T> {
  const seen = new Set<T>()
  const repeated = new Set<T>()
  for (const value of values) {
    if (seen.has(value)) repeated.add(value)
    seen.add(value)
  }
  return repeated
}

/** Gives the values under one key one after the other, where each of them is answered by itself and in order. */
export function inTurn<T>(values: Iterable<T>, keyOf: (value: T) => string): (key: string) => T | undefined {
  const waiting = new Map<string, T[]>()
  for (const value of values) {
    const queue = waiting.get(keyOf(value))
    if (queue === undefined) waiting.set(keyOf(value), [value])
    else queue.push(value)
  }
  const turns = new Map([...waiting].map(([key, queue]) => [key, queue.values()]))
  return key => turns.get(key)?.next().value
}

/**
 * Entries under the same key as one: Kafka gathers an answer in maps, so what a request names twice is answered once.
 * The first entry takes the items of the others; each of their own keys comes once.
 */
export function joinRepeated<Entry, Item>(
  entries: readonly Entry[],
  keyOf: (entry: Entry) => string,
  itemsOf: (entry: Entry) => Item[],
  itemKeyOf?: (item: Item) => number,
): Entry[] {
  const joined = new Map<string, Entry>()
  for (const entry of entries) {
    const known = joined.get(keyOf(entry))
    if (known === undefined) joined.set(keyOf(entry), entry)
    else append(itemsOf(known), itemsOf(entry))
  }
  if (itemKeyOf !== undefined) for (const entry of joined.values()) keepFirst(itemsOf(entry), itemKeyOf)
  return [...joined.values()]
}

function keepFirst<Item>(items: Item[], keyOf: (item: Item) => number): void {
  const seen = new Set<number>()
  const first = items.filter(item => {
    const isNew = !seen.has(keyOf(item))
    seen.add(keyOf(item))
    return isNew
  })
  items.length = 0
  append(items, first)
}
