/** DeleteAcls: Alter on the cluster; a denial is told for each filter. (AclApis.handleDeleteAcls) */
import type { ApiKey } from '../protocol/api-key.ts'
import {
  deleteAclsFilterResultDefaults,
  deleteAclsResponseDefaults,
} from '../protocol/generated/delete-acls-response.ts'
import { hasUnknownCode } from './acl-codes.ts'
import { altersCluster, clusterDenial } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

export function enforceDeleteAcls(): EnforcementOf<typeof ApiKey.DeleteAcls> {
  return altersCluster(
    cluster.alter,
    ({ filters }) => ({
      ...deleteAclsResponseDefaults(),
      filterResults: filters.map(() => ({ ...deleteAclsFilterResultDefaults(), ...clusterDenial })),
    }),
    ({ filters }) =>
      filters.some(({ resourceTypeFilter: resourceType, patternTypeFilter: patternType, operation, permissionType }) =>
        hasUnknownCode({ resourceType, patternType, operation, permissionType }),
      ),
  )
}
