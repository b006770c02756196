/** Random rules and questions that meet often: few words, odd ones among them. The same seed gives the same. */

import { questionsOf } from '../../../src/acl/policy/api-questions.ts'
import type { Operation, Question, ResourceType, Subject } from '../../../src/acl/policy/policy.ts'
import { supportedOperations } from '../../../src/acl/policy/vocabulary.ts'

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** mulberry32 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }
}

const users = [
  'User:alice',
  'User:bob',
  'User:a',
  'User:__proto__',
  'User:CN=a,O="b c"',
  'User:*x',
  'User:ü',
  'User:role:a',
]
const roles = ['role:a', 'role:b', 'role:constructor', 'role:alice', 'role:x,y', 'role:c', 'role:d']
const names = [
  'a',
  'ab',
  'abc',
  'abd',
  'b',
  'a.b',
  'a_b',
  '__proto__',
  'constructor',
  'it"s',
  'x,y',
  'ü',
  'ü✓',
  '*',
  'a*',
  '~',
  '~a',
  '\\~a',
  '\\',
  'a\\',
  'kafka-cluster',
  'A',
  '𝒳',
  'a b',
  '#a',
  'a\nb',
  'toString',
]
const patterns = [
  ...names.filter(name => !/\n/.test(name)),
  'a\\*',
  '\\~a',
  '\\~a*',
  '\\*',
  '*',
  'a*',
  'ab*',
  'x,*',
  'ü*',
  'kafka*',
  '__*',
  '~a.*',
  '~[ab]+',
  '~(?i)a',
  '~a|b',
  '~.*b',
  '~a?b*',
  '~',
  '~.',
  '~\\*',
  '~a\\.b',
  '~it"s',
  '~x,y',
  '~[^a].*',
  '~ü.?',
  '~a{1,2}b?',
  '~a{0}b',
]
const types: readonly ResourceType[] = [
  'topic',
  'topic',
  'topic',
  'group',
  'transactionalId',
  'cluster',
  'user',
  'delegationToken',
]
const apis = [
  'Produce',
  'Fetch',
  'ShareFetch',
  'Metadata',
  'CreateTopics',
  'DeleteTopics',
  'JoinGroup',
  'OffsetCommit',
  'InitProducerId',
  'DescribeConfigs',
  'StreamsGroupHeartbeat',
  'DescribeCluster',
  'AlterConfigs',
  'FindCoordinator',
]
const hosts = ['10.0.0.1', '10.0.0.2', '10.1.0.1', '2001:db8::1', '::ffff:10.0.0.1']
const hostPatterns = ['*', '*', '10.0.0.1', '10.0.0.0/24', '10.0.0.0/8', '2001:db8::/32', '::/0', '0.0.0.0/0']

const quoted = (field: string): string => (/[",]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
export const line = (fields: readonly string[]): string => fields.map(quoted).join(', ')

function act(random: Random, type: ResourceType): string {
  if (random.chance(0.15)) return '*'
  const asking = apis.filter(api => questionsOf(api)?.[type] !== undefined)
  if (asking.length > 0 && random.chance(0.3)) return random.pick(asking)
  return random.pick(supportedOperations[type])
}

function ruleName(random: Random, type: ResourceType, words: Words): string {
  if (type === 'cluster') return random.pick(['kafka-cluster', 'kafka*', '*', '~kafka.*', '~[k]afka-cluster'])
  return random.pick(words.patterns)
}

export function randomRule(random: Random, withHost: boolean, words: Words): string {
  const who = random.chance(0.2) ? '*' : random.pick([...words.users, ...words.roles])
  const type = random.pick(words.types)
  const host = withHost ? [random.pick(hostPatterns)] : []
  const effect = random.chance(0.3) ? 'deny' : 'allow'
  return line(['p', who, type, ruleName(random, type, words), act(random, type), ...host, effect])
}

export function randomLink(random: Random, { users, roles }: Words): string {
  const role = random.below(roles.length)
  return line(['g', random.pick([...users, ...roles.slice(0, role)]), roles[role]!])
}

/** Few words for each policy, so that its rules and the questions meet. */
export interface Words {
  readonly users: readonly string[]
  readonly roles: readonly string[]
  readonly names: readonly string[]
  readonly patterns: readonly string[]
  readonly types: readonly ResourceType[]
}

function some<Item>(random: Random, items: readonly Item[], count: number): Item[] {
  return Array.from({ length: count }, () => random.pick(items))
}

export function randomWords(random: Random): Words {
  const few = some(random, names, 4)
  return {
    users: some(random, users, 2),
    // In the order of the list: a role contains only later ones, so that there is no circle.
    roles: [...new Set(some(random, roles, 3))].sort((a, b) => roles.indexOf(a) - roles.indexOf(b)),
    names: few,
    patterns: [...few.filter(name => !name.includes('\n')), ...some(random, patterns, 6)],
    types: some(random, types, 2),
  }
}

export interface RandomPolicy {
  readonly words: Words
  readonly rows: string[]
  readonly withHost: boolean
}

export function randomPolicy(random: Random, rules: number): RandomPolicy {
  const withHost = random.chance(0.3)
  const words = randomWords(random)
  const links = Array.from({ length: random.below(5) }, () => randomLink(random, words))
  return {
    words,
    withHost,
    rows: [...links, ...Array.from({ length: rules }, () => randomRule(random, withHost, words))],
  }
}

export const randomSubject = (random: Random, words: Words): Subject => ({
  principal: random.pick(words.users),
  host: random.pick(hosts),
  listener: 'clients',
  clientId: '',
})

export function randomQuestion(random: Random, words: Words): Question {
  const type = random.pick(words.types)
  const asking = apis.filter(api => questionsOf(api)?.[type] !== undefined)
  const api = random.pick(asking.length > 0 && random.chance(0.9) ? asking : apis)
  const asked = questionsOf(api)?.[type]
  const operation =
    asked !== undefined && random.chance(0.7)
      ? random.pick(asked).replace('?', '')
      : random.pick(supportedOperations[type])
  const name = type === 'cluster' ? 'kafka-cluster' : random.pick(words.names)
  return { api, operation: operation as Operation, type, name, secondary: random.chance(0.15) }
}
