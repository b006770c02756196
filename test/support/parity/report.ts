/** What was found, for the person who has to act on it. */
import { apiName } from '../../../src/protocol/api-key.ts'
import { aclText } from './acl.ts'
import { type Change, changesOf } from './changes.ts'
import type { Plain } from './normalise.ts'
import type { ParityReport } from './run-parity.ts'

type Found = ParityReport['differences'][number]

export function reportText(report: ParityReport): string {
  const { items, requests, batches, differences, drifts, reordered, deliberate } = report
  const parts = [`${items} items in ${requests} requests of ${batches} batches: ${differences.length} differences`]
  for (const found of differences) parts.push(differenceText(found))
  for (const { batch, part, expected, got } of drifts) {
    parts.push(`batch ${batch}: ${part} drifted apart:\n${changesText(expected, got)}`)
  }
  const orders = [...reordered].map(([api, times]) => `${api} ${times}`).join(', ')
  if (orders !== '') parts.push(`in another order: ${orders}`)
  const meant = [...deliberate].map(([line, times]) => `${times} times: ${line}`).join('\n')
  if (meant !== '') parts.push(`different on purpose, by SECURITY.md:\n${meant}`)
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
  return changesOf(expected, got).slice(0, 12).map(changeText).join('\n')
}

const changeText = ({ path, expected, got }: Change): string =>
  `  ${path.length === 0 ? 'answer' : `/${path.join('/')}`}: expected ${short(expected)}, got ${short(got)}`

const short = (plain: Plain) => JSON.stringify(plain).slice(0, 400)

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
