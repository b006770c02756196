/** Where two answers differ, place by place. */
import type { Plain } from './normalise.ts'

export interface Change {
  /** Names of fields, and of elements what clients look them up by. */
  readonly path: readonly string[]
  /** `nothing` where one side has no such place. */
  readonly expected: Plain
  readonly got: Plain
}

export function changesOf(expected: Plain, got: Plain): Change[] {
  const changes: Change[] = []
  compare(expected, got, [], changes)
  return changes
}

function compare(expected: Plain, got: Plain, path: readonly string[], changes: Change[]): void {
  if (JSON.stringify(expected) === JSON.stringify(got)) return
  if (!isObject(expected) || !isObject(got)) {
    changes.push({ path, expected, got })
    return
  }
  const [first, second] = [keyed(expected), keyed(got)]
  for (const name of new Set([...first.keys(), ...second.keys()])) {
    compare(valueAt(first, name), valueAt(second, name), [...path, name], changes)
  }
}

function valueAt(values: ReadonlyMap<string, Plain>, name: string): Plain {
  return values.has(name) ? values.get(name)! : 'nothing'
}

function isObject(plain: Plain): plain is Plain[] | { [name: string]: Plain } {
  return plain !== null && typeof plain === 'object'
}

/** Entries by what clients look them up by; the same name twice gets a number. */
function keyed(plain: Plain[] | { [name: string]: Plain }): Map<string, Plain> {
  if (!Array.isArray(plain)) return new Map(Object.entries(plain))
  const seen = new Map<string, Plain>()
  for (const [at, element] of plain.entries()) {
    const name = isObject(element) && !Array.isArray(element) ? nameOf(element) : String(at)
    seen.set(seen.has(name) ? `${name}#${at}` : name, element)
  }
  return seen
}

const names = ['name', 'topic', 'topicName', 'topicId', 'groupId', 'group', 'transactionalId', 'resourceName', 'key']
const indexes = ['partitionIndex', 'partition', 'index']

function nameOf(element: { [name: string]: Plain }): string {
  const name = names
    .map(each => element[each])
    .find(value => typeof value === 'string' && value !== '' && value !== 'none')
  const index = indexes.map(each => element[each]).find(value => typeof value === 'number')
  const type = typeof element.resourceType === 'number' ? `:${element.resourceType}` : ''
  return `${name ?? index ?? '?'}${type}`
}
