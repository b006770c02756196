/** What org.apache.kafka.metadata.authorizer.StandardAuthorizerData and AuthorizerInterface decide, written down again. */
import type { Acl } from '../../../src/acl/policy/acls-to-policy.ts'

export interface Action {
  readonly principal: string
  readonly host: string
  readonly type: string
  readonly operation: string
}

const implying: Readonly<Record<string, readonly string[]>> = {
  DESCRIBE: ['DESCRIBE', 'READ', 'WRITE', 'DELETE', 'ALTER'],
  DESCRIBE_CONFIGS: ['DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
}

const concerns = (acl: Acl, { principal, host, type }: Action): boolean =>
  acl.resourceType === type &&
  (acl.principal === principal || acl.principal === 'User:*') &&
  (acl.host === host || acl.host === '*')

function namesResource({ patternType, resourceName }: Acl, name: string): boolean {
  if (patternType === 'PREFIXED') return name.startsWith(resourceName)
  return resourceName === '*' || resourceName === name
}

export function authorize(acls: readonly Acl[], action: Action, name: string): boolean {
  const relevant = acls.filter(acl => concerns(acl, action) && namesResource(acl, name))
  const speaks = (acl: Acl, operations: readonly string[]): boolean =>
    acl.operation === 'ALL' || operations.includes(acl.operation)
  if (relevant.some(acl => acl.permissionType === 'DENY' && speaks(acl, [action.operation]))) return false
  return relevant.some(
    acl => acl.permissionType === 'ALLOW' && speaks(acl, implying[action.operation] ?? [action.operation]),
  )
}

export function authorizeByResourceType(acls: readonly Acl[], action: Action): boolean {
  const relevant = acls.filter(
    acl => concerns(acl, action) && (acl.operation === 'ALL' || acl.operation === action.operation),
  )
  const denies = relevant.filter(({ permissionType }) => permissionType === 'DENY')
  const isWildcard = (acl: Acl): boolean => acl.patternType === 'LITERAL' && acl.resourceName === '*'
  if (denies.some(isWildcard)) return false
  return relevant.some(allow => {
    if (allow.permissionType !== 'ALLOW') return false
    if (isWildcard(allow)) return true
    const dominated = denies.some(deny =>
      deny.patternType === 'PREFIXED'
        ? allow.resourceName.startsWith(deny.resourceName)
        : allow.patternType === 'LITERAL' && deny.resourceName === allow.resourceName,
    )
    return !dominated
  })
}
