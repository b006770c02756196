/** CreateAcls: Alter on the cluster; a denial is told for each ACL. (AclApis.handleCreateAcls) */
import type { ApiKey } from '../protocol/api-key.ts'
import { createAclsResponseDefaults } from '../protocol/generated/create-acls-response.ts'
import { hasUnknownCode } from './acl-codes.ts'
import { altersCluster, clusterDenial } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

export function enforceCreateAcls(): EnforcementOf<typeof ApiKey.CreateAcls> {
  return altersCluster(
    cluster.alter,
    ({ creations }) => ({
      ...createAclsResponseDefaults(),
      results: creations.map(() => ({ ...clusterDenial })),
    }),
    ({ creations }) =>
      creations.some(({ resourcePatternType: patternType, ...codes }) => hasUnknownCode({ patternType, ...codes })),
  )
}
