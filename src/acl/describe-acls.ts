/** DescribeAcls: Describe on the cluster. (AclApis.handleDescribeAcls) */
import type { ApiKey } from '../protocol/api-key.ts'
import { describeAclsResponseDefaults } from '../protocol/generated/describe-acls-response.ts'
import { hasUnknownCode } from './acl-codes.ts'
import { clusterDenial, describesCluster } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

export function enforceDescribeAcls(): EnforcementOf<typeof ApiKey.DescribeAcls> {
  return describesCluster(
    cluster.describe,
    () => ({ ...describeAclsResponseDefaults(), ...clusterDenial }),
    undefined,
    ({ resourceTypeFilter: resourceType, patternTypeFilter: patternType, operation, permissionType }) =>
      hasUnknownCode({ resourceType, patternType, operation, permissionType }),
  )
}
