/**
 * Codes in requests about ACLs. Kafka turns them into enums while it reads the request, and closes the connection where
 * one is unknown. (DescribeAclsRequest, CreateAclsRequest and DeleteAclsRequest, their constructors)
 */
interface AclCodes {
  readonly resourceType: number
  readonly patternType: number
  readonly operation: number
  readonly permissionType: number
}

/** The largest code of each enum; 0 stands for unknown in all of them. */
const largest: AclCodes = { resourceType: 7, patternType: 4, operation: 15, permissionType: 3 }

export function hasUnknownCode(codes: AclCodes): boolean {
  const names = Object.keys(largest) as (keyof AclCodes)[]
  return names.some(name => codes[name] < 1 || codes[name] > largest[name])
}
