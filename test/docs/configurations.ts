/** README's two tables under "Which configuration is yours": what clients use and what brokers ask for, put together. */
import { parse } from 'yaml'
import { blocksOf, read, sectionOf } from './documents.ts'

export interface Row {
  /** As the table says it. */
  readonly name: string
  /** Keys for the listener, or for `upstream`. */
  readonly keys: Readonly<Record<string, unknown>>
  readonly isWarnedOf: boolean
}

const section = sectionOf(read('README.md'), '## Which configuration is yours')

function rowsBelow(heading: string): Row[] {
  const table = section.slice(section.indexOf(`| ${heading} |`)).split('\n\n')[0]!
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map(line => {
      const [, name = '', cell = ''] = /^\| (.*?) \| ?(.*?) ?\|$/.exec(line) ?? []
      const fragments = Array.from(cell.matchAll(/`([^`]+)`/g), ([, code = '']) => parse(code) as object)
      return { name, keys: Object.assign({}, ...fragments), isWarnedOf: name.includes('(warned of)') }
    })
}

export const fronts: readonly Row[] = rowsBelow('my clients use')
export const backs: readonly Row[] = rowsBelow('my brokers ask for')

/** With passthrough it is the brokers that clients log in at. */
export function goTogether(front: Row, back: Row): boolean {
  const { sasl } = back.keys as { sasl?: { mode: string } }
  return sasl?.mode !== 'passthrough' || !('sasl' in front.keys)
}

/** README's frame with these keys in it. */
export function configurationFor(front: Row, back: Row): string {
  const frame = parse(blocksOf(section, 'yaml')[0]!)
  const [cluster] = frame.clusters
  Object.assign(cluster.upstream, back.keys)
  Object.assign(cluster.listeners[0], front.keys)
  // JSON is YAML.
  return JSON.stringify(frame)
}
