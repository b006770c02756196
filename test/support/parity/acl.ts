/** Access rules as Kafka's CreateAcls knows them, and random sets of them. */
import { AclOperation } from '../../../src/protocol/acl-operation.ts'
import type { Random } from '../../../tools/golden/random.ts'
import { principals, type World } from './world.ts'

/** ResourceType, PatternType, AclOperation and AclPermissionType by their codes. */
export const resourceTypes = {
  topic: 2,
  group: 3,
  cluster: 4,
  transactionalId: 5,
  delegationToken: 6,
  user: 7,
} as const

export const operations = { all: 2, ...AclOperation } as const

export type ResourceType = keyof typeof resourceTypes
export type Operation = keyof typeof operations

export interface Acl {
  readonly principal: string
  readonly type: ResourceType
  readonly pattern: 'literal' | 'prefixed'
  readonly name: string
  readonly operation: Operation
  readonly permission: 'allow' | 'deny'
  readonly host: string
}

export const clusterName = 'kafka-cluster'

/** AclEntry.supportedOperations; CreateAcls refuses the others. */
const supported: Readonly<Record<'topic' | 'group' | 'cluster' | 'transactionalId', readonly Operation[]>> = {
  topic: ['read', 'write', 'create', 'describe', 'delete', 'alter', 'describeConfigs', 'alterConfigs', 'all'],
  group: ['read', 'describe', 'delete', 'describeConfigs', 'alterConfigs', 'all'],
  cluster: [
    'create',
    'clusterAction',
    'describeConfigs',
    'alterConfigs',
    'idempotentWrite',
    'alter',
    'describe',
    'all',
  ],
  transactionalId: ['describe', 'write', 'twoPhaseCommit', 'all'],
}

export function creationOf(acl: Acl) {
  return {
    resourceType: resourceTypes[acl.type],
    resourceName: acl.name,
    resourcePatternType: acl.pattern === 'literal' ? 3 : 4,
    principal: acl.principal,
    host: acl.host,
    operation: operations[acl.operation],
    permissionType: acl.permission === 'deny' ? 2 : 3,
  }
}

export function randomAcls(random: Random, world: World): Acl[] {
  const acls = Array.from({ length: 36 + random.below(48) }, () => randomAcl(random, world))
  // Kafka keeps one of each.
  return [...new Map(acls.map(acl => [JSON.stringify(acl), acl])).values()]
}

function randomAcl(random: Random, world: World): Acl {
  const type = random.pick(['topic', 'topic', 'topic', 'group', 'group', 'transactionalId', 'cluster'] as const)
  const { name, pattern } = randomResource(random, world, type)
  return {
    principal: random.chance(7) ? 'User:*' : `User:${random.pick(principals)}`,
    type,
    pattern,
    name,
    operation: random.chance(4) ? 'all' : random.pick(supported[type]),
    // A denial of everything would leave nothing to compare.
    permission: random.chance(name === '*' ? 16 : 6) ? 'deny' : 'allow',
    host: '*',
  }
}

function randomResource(random: Random, world: World, type: ResourceType): Pick<Acl, 'name' | 'pattern'> {
  if (type === 'cluster') return { name: clusterName, pattern: 'literal' }
  if (random.chance(8)) return { name: '*', pattern: 'literal' }
  const names = { topic: world.allTopics, group: world.allGroups, transactionalId: world.allTransactionalIds }
  const name = random.pick(names[type as keyof typeof names])
  if (!random.chance(3)) return { name, pattern: 'literal' }
  const shortest = Math.min(world.prefix.length, name.length)
  return { name: name.slice(0, shortest + random.below(name.length - shortest + 1)) || name, pattern: 'prefixed' }
}

/** Allowed operations that let one describe, too (StandardAuthorizer). */
const showing: readonly Operation[] = ['all', 'describe', 'read', 'write', 'delete', 'alter']

/** What StandardAuthorizer says, told without the code that is tested. */
export function mayDescribe(acls: readonly Acl[], principal: string, type: 'topic' | 'group', name: string): boolean {
  const about = acls.filter(
    acl =>
      acl.type === type &&
      (acl.principal === 'User:*' || acl.principal === `User:${principal}`) &&
      (acl.pattern === 'prefixed' ? name.startsWith(acl.name) : acl.name === name || acl.name === '*'),
  )
  const isDenied = about.some(
    ({ permission, operation }) => permission === 'deny' && (operation === 'all' || operation === 'describe'),
  )
  return !isDenied && about.some(({ permission, operation }) => permission === 'allow' && showing.includes(operation))
}

/** One line, as a report prints it. */
export function aclText(acl: Acl): string {
  const { permission, principal, operation, type, pattern, name, host } = acl
  return `${permission} ${principal} ${operation} on ${pattern} ${type} "${name}" from ${host}`
}
