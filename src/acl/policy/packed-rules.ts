/**
 * Checked rules as a worker thread hands them over: a few long strings. The event loop takes those in 1 ms for 10,000 rules, where
 * as many objects would stall it for 50. No value holds a line feed, for every rule is one line.
 */
import type { RoleLink, Rule, RuleSet } from './rule.ts'

/** Fits structured clone. Each column has a line for each rule, or each link. */
export interface PackedRules {
  readonly rules: number
  readonly links: number
  readonly columns: Readonly<Record<(typeof COLUMNS)[number], string>>
}

const COLUMNS = ['who', 'type', 'name', 'act', 'effect', 'host', 'ruleOrigin', 'member', 'role', 'linkOrigin'] as const
const RULES_PER_STEP = 100

export function packRules({ rules, links }: RuleSet): PackedRules {
  const files = new Map<string, string>()
  const origin = ({ origin: { file, line, text } }: Rule | RoleLink): string => {
    // A path may hold anything.
    const name = files.get(file) ?? JSON.stringify(file)
    files.set(file, name)
    return `${line} ${name.length} ${name} ${text}`
  }
  const lines = <Item>(items: readonly Item[], value: (item: Item) => string): string => items.map(value).join('\n')
  return {
    rules: rules.length,
    links: links.length,
    columns: {
      who: lines(rules, ({ who }) => who),
      type: lines(rules, ({ type }) => type),
      name: lines(rules, ({ name }) => name),
      act: lines(rules, ({ act }) => act),
      effect: lines(rules, ({ effect }) => effect),
      host: lines(rules, ({ host }) => host),
      ruleOrigin: lines(rules, origin),
      member: lines(links, ({ member }) => member),
      role: lines(links, ({ role }) => role),
      linkOrigin: lines(links, origin),
    },
  }
}

/** Yields after every few rules, so that a caller on the event loop can make way for others. */
export function* unpackRules({ rules, links, columns }: PackedRules): Generator<void, RuleSet, void> {
  const column = (name: keyof typeof columns): (() => string) => linesOf(columns[name])
  const [who, type, name, act] = [column('who'), column('type'), column('name'), column('act')]
  const [effect, host, ruleOrigin] = [column('effect'), column('host'), column('ruleOrigin')]
  const read: Rule[] = []
  for (let at = 1; at <= rules; at++) {
    read.push({
      who: who(),
      type: type() as Rule['type'],
      name: name(),
      act: act(),
      effect: effect() as Rule['effect'],
      host: host(),
      origin: originOf(ruleOrigin()),
    })
    if (at % RULES_PER_STEP === 0) yield
  }
  const [member, role, linkOrigin] = [column('member'), column('role'), column('linkOrigin')]
  const readLinks: RoleLink[] = []
  for (let at = 1; at <= links; at++) {
    readLinks.push({ member: member(), role: role(), origin: originOf(linkOrigin()) })
    if (at % RULES_PER_STEP === 0) yield
  }
  return { rules: read, links: readLinks }
}

/** One line after the other: to split a long column at once would take milliseconds. */
function linesOf(column: string): () => string {
  let start = 0
  return () => {
    const feed = column.indexOf('\n', start)
    const line = column.slice(start, feed === -1 ? column.length : feed)
    start = feed === -1 ? column.length : feed + 1
    return line
  }
}

function originOf(packed: string): Rule['origin'] {
  const [, line = '', length = ''] = /^(\d+) (\d+) /.exec(packed)!
  const start = line.length + length.length + 2
  const end = start + Number(length)
  return { file: JSON.parse(packed.slice(start, end)), line: Number(line), text: packed.slice(end + 1) }
}
