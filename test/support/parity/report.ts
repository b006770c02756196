/** What was found, for the person who has to act on it. */
import { apiName } from '../../../src/protocol/api-key.ts'
import { aclText } from './acl.ts'
import type { Plain } from './normalise.ts'
import type { ParityReport } from './run-parity.ts'

type Found = ParityReport['differences'][number]

export function reportText(report: ParityReport): string {
  const { items, requests, batches, differences, drifts, reordered } = report
  const parts = [`${items} items in ${requests} requests of ${batches} batches: ${differences.length} differences`]
  for (const found of differences) parts.push(differenceText(found))
  for (const { batch, part, expected, got } of drifts) {
    parts.push(`batch ${batch}: ${part} drifted apart:\n${changesText(expected, got)}`)
  }
  const orders = [...reordered].map(([api, times]) => `${api} ${times}`).join(', ')
  if (orders !== '') parts.push(`in another order: ${orders}`)
  return parts.join('\n\n')
}

export function differenceText({ batch, step, request, expected, got, acls }: Found): string {
  const { key, version, principal, connection } = step
  const rules = acls.filter(acl => acl.principal === 'User:*' || acl.principal === `User:${principal}`)
  return [
    `### ${apiName(key)} v${version} as ${principal}, batch ${batch}, connection ${connection}`,
    `request: ${JSON.stringify(request)}`,
    changesText(expected, got),
    `rules: ${rules.map(aclText).join('; ')}`,
  ].join('\n')
}

/** Only the places that differ. */
export function changesText(expected: Plain, got: Plain): string {
  const changes: string[] = []
  compare(expected, got, '', changes)
  return changes.slice(0, 12).join('\n')
}

function compare(expected: Plain, got: Plain, path: string, changes: string[]): void {
  if (JSON.stringify(expected) === JSON.stringify(got)) return
  if (!isObject(expected) || !isObject(got)) {
    changes.push(`  ${path || 'answer'}: expected ${short(expected)}, got ${short(got)}`)
    return
  }
  const [first, second] = [keyed(expected), keyed(got)]
  for (const name of new Set([...first.keys(), ...second.keys()])) {
    compare(first.get(name) ?? 'nothing', second.get(name) ?? 'nothing', `${path}/${name}`, changes)
  }
}

const short = (plain: Plain) => JSON.stringify(plain).slice(0, 400)

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

/** Differences of one kind in one line: names and numbers of the batch taken out. */
export function summary({ differences }: ParityReport): string {
  const kinds = new Map<string, { times: number; versions: Set<number> }>()
  for (const { step, expected, got } of differences) {
    for (const change of changesText(expected, got).split('\n')) {
      const name = `${apiName(step.key)} ${kindOf(change)}`
      const kind = kinds.get(name) ?? { times: 0, versions: new Set() }
      kinds.set(name, { times: kind.times + 1, versions: kind.versions.add(step.version) })
    }
  }
  const lines = [...kinds].map(([name, { times, versions }]) => {
    return `${times} times in versions ${[...versions].sort((a, b) => a - b)}: ${name}`
  })
  return lines.sort((a, b) => (a.slice(a.indexOf(': ')) < b.slice(b.indexOf(': ')) ? -1 : 1)).join('\n')
}

const kindOf = (change: string) =>
  change
    .trim()
    .replace(/\/[^/]*(?=\/)/g, '/…')
    .replace(/b\d+-[\w.-]+/g, '…')
    .replace(/"id of \S+"/g, '"an id"')
    .slice(0, 300)
