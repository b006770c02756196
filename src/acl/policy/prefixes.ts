/** Beginnings that many names share, up to a separator: what a person may want to write instead of the names. */
import { isTopicOfBrokers } from '../topic-names.ts'

export interface NamePrefix {
  /** Ends with a separator. */
  readonly prefix: string
  /** How many of the names it stands for, those aside that a longer one stands for already. */
  readonly names: number
}

/** The longest first, so that none is wider than it has to be. A prefix stands for no topic of the brokers' own. */
export function prefixesOf(all: readonly string[], namesMin: number): NamePrefix[] {
  const names = all.filter(name => !isTopicOfBrokers(name)).sort()
  const isTaken = names.map(() => false)
  const found: NamePrefix[] = []
  for (const prefix of sharedBeginnings(names)) {
    const free = placesOf(prefix, names).filter(place => !isTaken[place])
    if (free.length < namesMin) continue
    for (const place of free) isTaken[place] = true
    found.push({ prefix, names: free.length })
  }
  return found.sort((a, b) => (a.prefix < b.prefix ? -1 : 1))
}

const separators = /[.\-_:/]/g

/** Of sorted names, neighbours share the most. */
function sharedBeginnings(names: readonly string[]): string[] {
  const found = new Set<string>()
  for (let at = 1; at < names.length; at++) {
    const shared = sharedBeginning(names[at - 1]!, names[at]!)
    const last = [...shared.matchAll(separators)].at(-1)
    if (last !== undefined) found.add(shared.slice(0, last.index + 1))
  }
  return [...found].sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
}

function sharedBeginning(one: string, other: string): string {
  let length = 0
  while (length < one.length && one[length] === other[length]) length++
  return one.slice(0, length)
}

function placesOf(prefix: string, names: readonly string[]): number[] {
  let [low, high] = [0, names.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (names[middle]! < prefix) low = middle + 1
    else high = middle
  }
  const places: number[] = []
  for (let at = low; names[at]?.startsWith(prefix); at++) places.push(at)
  return places
}
