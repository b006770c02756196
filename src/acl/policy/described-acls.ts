/** A cluster's own ACLs as DescribeAcls tells them, in Kafka's words. */
import { AclOperation } from '../../protocol/acl-operation.ts'
import type { DescribeAclsRequest } from '../../protocol/generated/describe-acls-request.ts'
import type { DescribeAclsResponse } from '../../protocol/generated/describe-acls-response.ts'
import type { Acl } from './acls-to-policy.ts'

const any = 1

/** Asks for all of them. */
export const everyAcl: DescribeAclsRequest = Object.freeze({
  resourceTypeFilter: any,
  resourceNameFilter: null,
  patternTypeFilter: any,
  principalFilter: null,
  hostFilter: null,
  operation: any,
  permissionType: any,
})

/** org.apache.kafka.common.resource.ResourceType and PatternType, org.apache.kafka.common.acl.AclPermissionType */
const resourceTypes = new Map([
  [2, 'TOPIC'],
  [3, 'GROUP'],
  [4, 'CLUSTER'],
  [5, 'TRANSACTIONAL_ID'],
  [6, 'DELEGATION_TOKEN'],
  [7, 'USER'],
])
const patternTypes = new Map([
  [3, 'LITERAL'],
  [4, 'PREFIXED'],
])
const permissionTypes = new Map([
  [2, 'DENY'],
  [3, 'ALLOW'],
])
const upperSnake = (word: string): string => word.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase()
const operations = new Map<number, string>([
  [2, 'ALL'],
  ...Object.entries(AclOperation).map(([word, code]) => [code, upperSnake(word)] as const),
])

/** A code that nobody knows stays a number, which aclsToPolicy() refuses by name. */
export function readDescribedAcls({ resources }: Pick<DescribeAclsResponse, 'resources'>): Acl[] {
  return resources.flatMap(({ resourceType, resourceName, patternType, acls }) =>
    acls.map(({ principal, host, operation, permissionType }) => ({
      resourceType: resourceTypes.get(resourceType) ?? `type ${resourceType}`,
      resourceName,
      patternType: patternTypes.get(patternType) ?? `pattern ${patternType}`,
      principal,
      host,
      operation: operations.get(operation) ?? `operation ${operation}`,
      permissionType: permissionTypes.get(permissionType) ?? `permission ${permissionType}`,
    })),
  )
}
