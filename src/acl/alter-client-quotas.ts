/** AlterClientQuotas: AlterConfigs on the cluster; a denial is told for each entry. (ControllerApis.handleAlterClientQuotas) */
import type { ApiKey } from '../protocol/api-key.ts'
import { alterClientQuotasResponseDefaults } from '../protocol/generated/alter-client-quotas-response.ts'
import { altersCluster, clusterDenial } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

export function enforceAlterClientQuotas(): EnforcementOf<typeof ApiKey.AlterClientQuotas> {
  return altersCluster(cluster.alterConfigs, ({ entries }) => ({
    ...alterClientQuotasResponseDefaults(),
    entries: entries.map(({ entity }) => ({
      ...clusterDenial,
      entity: entity.map(({ entityType, entityName }) => ({ entityType, entityName })),
    })),
  }))
}
