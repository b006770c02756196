/** Simple rules as the ACLs that say the same to Kafka itself: its answers are what the gateway's are held against. */
import kafkajs, { type Admin } from 'kafkajs'
import { AclOperation } from '../../src/protocol/acl-operation.ts'

type AclEntry = Parameters<Admin['createAcls']>[0]['acl'][number]

const types: Readonly<Record<string, number>> = { topic: 2, group: 3, cluster: 4, transactionalId: 5 }
const operations: Readonly<Record<string, number>> = { '*': 2, ...AclOperation }

export function rulesAsAcls(rules: string): AclEntry[] {
  const rows = rules
    .split('\n')
    .map(line => line.split(',').map(field => field.trim()))
    .filter(([kind]) => kind === 'p' || kind === 'g')
  const members = (who: string) =>
    rows.filter(([kind, , role]) => kind === 'g' && role === who).map(([, user]) => user!)
  return rows
    .filter(([kind]) => kind === 'p')
    .flatMap(([, who = '', type = '', name = '', operation = '', effect = '']) =>
      (who.startsWith('role:') ? members(who) : [who === '*' ? 'User:*' : who]).map(principal => ({
        principal,
        host: '*',
        resourceType: known(types, type),
        ...patternOf(name),
        operation: known(operations, operation),
        permissionType: effect === 'allow' ? kafkajs.AclPermissionTypes.ALLOW : kafkajs.AclPermissionTypes.DENY,
      })),
    )
}

function patternOf(name: string): Pick<AclEntry, 'resourceName' | 'resourcePatternType'> {
  const { LITERAL, PREFIXED } = kafkajs.ResourcePatternTypes
  if (name.startsWith('~')) throw new Error(`no ACL can say ${name}`)
  if (name === '*' || !name.endsWith('*')) return { resourceName: name, resourcePatternType: LITERAL }
  return { resourceName: name.slice(0, -1), resourcePatternType: PREFIXED }
}

function known(codes: Readonly<Record<string, number>>, name: string): number {
  const code = codes[name]
  if (code === undefined) throw new Error(`no ACL can say ${name}`)
  return code
}

/** Gives what `rules` say before it takes what only `before` said. */
export async function setAcls(admin: Admin, rules: string, before: string): Promise<void> {
  const acl = rulesAsAcls(rules)
  await admin.createAcls({ acl })
  const kept = new Set(acl.map(entry => JSON.stringify(entry)))
  const filters = rulesAsAcls(before).filter(entry => !kept.has(JSON.stringify(entry)))
  if (filters.length > 0) await admin.deleteAcls({ filters })
}
