/**
 * Codes in requests about ACLs. Kafka closes the connection while it reads a request in which one of them is 0, which
 * stands for "unknown"; codes that no enum has are read, and are refused after the rights. (DescribeAclsRequest,
 * CreateAclsRequest and DeleteAclsRequest, their constructors)
 */
interface AclCodes {
  readonly resourceType: number
  readonly patternType: number
  readonly operation: number
  readonly permissionType: number
}

export function hasUnknownCode({ resourceType, patternType, operation, permissionType }: AclCodes): boolean {
  return [resourceType, patternType, operation, permissionType].includes(0)
}
