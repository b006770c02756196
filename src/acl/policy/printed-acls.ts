/** What `kafka-acls --list` prints, read back. */
import type { Acl } from './acls-to-policy.ts'

export interface PrintedAcls {
  readonly acls: readonly Acl[]
  /** Lines that are neither: an ACL may be in them. */
  readonly notUnderstood: readonly { readonly line: number; readonly text: string }[]
}

const resource = /^Current ACLs for resource `ResourcePattern\(resourceType=(\w+), name=(.*), patternType=(\w+)\)`:\s*$/
const entry = /^\s*\(principal=(.*), host=(.*), operation=(\w+), permissionType=(\w+)\)\s*$/

export function readPrintedAcls(text: string): PrintedAcls {
  const acls: Acl[] = []
  const notUnderstood: { line: number; text: string }[] = []
  let current: Pick<Acl, 'resourceType' | 'resourceName' | 'patternType'> | undefined
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    const [, type, name = '', pattern = ''] = resource.exec(line) ?? []
    const [, principal, host = '', operation = '', permissionType = ''] = entry.exec(line) ?? []
    if (type !== undefined) current = { resourceType: type, resourceName: name, patternType: pattern }
    else if (principal !== undefined && current !== undefined)
      acls.push({ ...current, principal, host, operation, permissionType })
    else if (line.trim() !== '') notUnderstood.push({ line: at + 1, text: line })
  }
  return { acls, notUnderstood }
}
