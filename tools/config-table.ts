/**
 * Writes the table of every configuration key into README.md, from the schema, between two markers.
 * With --check it changes nothing and exits 1 where the table is not what the schema says.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rootLeaves } from '../src/config/schema.ts'
import type { Leaf, Leaves } from '../src/config/section.ts'

const BEGIN = '<!-- config:begin -->'
const END = '<!-- config:end -->'

export function configTable(leaves: Leaves = rootLeaves): string {
  const rows = rowsOf(leaves, '').map(cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`)
  return ['| key | format | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function rowsOf(leaves: Leaves, prefix: string): string[][] {
  return Object.entries(leaves).flatMap(([key, leaf]) => {
    const path = `${prefix}${key}${leaf.format.isList && leaf.format.leaves ? '[]' : ''}`
    const below = leaf.format.leaves === undefined ? [] : rowsOf(leaf.format.leaves, `${path}.`)
    return [[`\`${path}\``, leaf.format.name, defaultOf(leaf), leaf.doc], ...below]
  })
}

function defaultOf({ default: value, required }: Leaf<unknown>): string {
  if (required !== undefined) return '**required**'
  if (value === undefined || (typeof value === 'object' && Object.keys(value as object).length === 0)) return ''
  return `\`${Array.isArray(value) ? value.join(', ') : String(value)}\``
}

/** The text with the table in its place. */
export function withTable(text: string, table: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`README.md needs the lines ${BEGIN} and ${END}`)
  return `${text.slice(0, begin + BEGIN.length)}\n${table}\n${text.slice(end)}`
}

function main(args: readonly string[]): number {
  const readme = join(root(), 'README.md')
  const present = readFileSync(readme, 'utf8')
  const wanted = withTable(present, configTable())
  if (wanted === present) return 0
  if (args.includes('--check')) {
    process.stderr.write('README.md: the configuration table is stale: run npm run generate\n')
    return 1
  }
  writeFileSync(readme, wanted)
  return 0
}

/** This file is compiled to build/tools. */
const root = (): string => dirname(dirname(dirname(fileURLToPath(import.meta.url))))

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2))
