/** The names that the requests of one batch draw from. Each batch has its own, so that no batch sees another's leavings. */
import type { Random } from '../../../tools/golden/random.ts'

/** Users of both sides. Nobody else appears but through `User:*`. */
export const principals = ['alice', 'bob', 'carol', 'dave'] as const
export type PrincipalName = (typeof principals)[number]

/** Who logs in; the others show a certificate. */
export const passwords: Readonly<Partial<Record<PrincipalName, string>>> = {
  carol: 'password-of-carol',
  dave: 'password-of-dave',
}
export const byCertificate = principals.filter(name => passwords[name] === undefined)

export interface SeededTopic {
  readonly name: string
  readonly partitions: number
}

export interface World {
  /** All names begin with it. */
  readonly prefix: string
  readonly topics: readonly SeededTopic[]
  /** Legal names of topics that are not there at the start. */
  readonly absentTopics: readonly string[]
  /** Topics made to be deleted. */
  readonly victims: readonly SeededTopic[]
  readonly allTopics: readonly string[]
  /** Groups with committed offsets and no members. */
  readonly groups: readonly string[]
  /** One live member each, by protocol. */
  readonly liveGroups: {
    readonly classic: string
    readonly consumer: string
    readonly share: string
    readonly streams: string
  }
  readonly absentGroups: readonly string[]
  readonly allGroups: readonly string[]
  /** Known to the coordinator. */
  readonly transactionalIds: readonly string[]
  readonly absentTransactionalIds: readonly string[]
  readonly allTransactionalIds: readonly string[]
}

export const illegalTopics = ['', '.', '..', 'with space', 'sla/sh', 'ünicode', 'x'.repeat(250)]
export const internalTopics = ['__consumer_offsets', '__transaction_state', '__share_group_state']

export function createWorld(batch: number): World {
  const prefix = `b${batch}-`
  const named = (...names: string[]) => names.map(name => prefix + name)
  const topics = named('orders', 'orders.eu', 'orders.us', 'pay', 'payments', 'audit').map((name, index) => ({
    name,
    partitions: 1 + (index % 3),
  }))
  const victims = named('victim-1', 'victim-2', 'victim-3', 'victim-4', 'orders.victim', 'pay.victim').map(name => ({
    name,
    partitions: 1,
  }))
  const absentTopics = named('orders.new', 'new-1', 'new-2', 'new-3', 'pay.new', 'zzz')
  const groups = named('readers', 'readers.eu', 'billing', 'victims')
  const liveGroups = {
    classic: `${prefix}live.classic`,
    consumer: `${prefix}live.consumer`,
    share: `${prefix}live.share`,
    streams: `${prefix}live.streams`,
  }
  const absentGroups = named('readers.new', 'nobody', 'new-a', 'new-b')
  const transactionalIds = named('tx', 'tx.eu', 'tx.us', 'loader')
  const absentTransactionalIds = named('tx.new', 'ghost')
  return {
    prefix,
    topics,
    victims,
    absentTopics,
    allTopics: [...topics, ...victims].map(({ name }) => name).concat(absentTopics),
    groups,
    liveGroups,
    absentGroups,
    allGroups: [...groups, ...Object.values(liveGroups), ...absentGroups],
    transactionalIds,
    absentTransactionalIds,
    allTransactionalIds: [...transactionalIds, ...absentTransactionalIds],
  }
}

/** Draws names with a taste for the ones that exist, and now and then one that cannot. */
export class Draw {
  readonly random: Random
  readonly world: World

  constructor(random: Random, world: World) {
    this.random = random
    this.world = world
  }

  topic(): string {
    const { random, world } = this
    if (random.chance(25)) return random.pick(illegalTopics)
    if (random.chance(18)) return random.pick(internalTopics)
    if (random.chance(6)) return random.pick(world.absentTopics)
    if (random.chance(8)) return random.pick(world.victims).name
    return random.pick(world.topics).name
  }

  /** One to six; a name twice now and then. */
  topics(): string[] {
    return this.some(() => this.topic())
  }

  group(): string {
    const { random, world } = this
    if (random.chance(30)) return ''
    if (random.chance(5)) return random.pick(world.absentGroups)
    if (random.chance(4)) return random.pick(Object.values(world.liveGroups))
    return random.pick(world.groups)
  }

  groups(): string[] {
    return this.some(() => this.group())
  }

  transactionalId(): string {
    const { random, world } = this
    return random.chance(5) ? random.pick(world.absentTransactionalIds) : random.pick(world.transactionalIds)
  }

  /** Mostly there, sometimes not. */
  partition(): number {
    return this.random.pick([0, 0, 0, 1, 2, 9])
  }

  partitions(): number[] {
    return this.random.chance(3) ? [0, 1] : [this.partition()]
  }

  some<Value>(draw: () => Value): Value[] {
    const drawn = Array.from({ length: 1 + this.random.below(6) }, draw)
    return this.random.chance(12) ? drawn : [...new Set(drawn)]
  }

  yes(oneIn = 2): boolean {
    return this.random.chance(oneIn)
  }
}
