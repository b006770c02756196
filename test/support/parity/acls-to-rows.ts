/** What a cluster's access rules say, as rows of a policy of the shipped model. */
import type { Acl } from './acl.ts'

export function aclsToRows(acls: readonly Acl[]): string {
  return acls.map(acl => `${rowOf(acl).map(quoted).join(', ')}\n`).join('')
}

function rowOf(acl: Acl): string[] {
  if (acl.host !== '*') throw new Error('the shipped model knows no hosts')
  const who = acl.principal === 'User:*' ? '*' : acl.principal
  const act = acl.operation === 'all' ? '*' : acl.operation
  return ['p', who, acl.type, nameOf(acl), act, acl.permission]
}

function nameOf({ pattern, name }: Acl): string {
  if (pattern === 'prefixed') return `${name.startsWith('~') ? '\\' : ''}${name}*`
  if (name === '*') return name
  const head = name.startsWith('~') ? '\\' : ''
  return name.endsWith('*') ? `${head}${name.slice(0, -1)}\\*` : `${head}${name}`
}

function quoted(field: string): string {
  return /[",\s#]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}
