/** DescribeClientQuotas: DescribeConfigs on the cluster; a denial has no text. (KafkaApis.handleDescribeClientQuotasRequest) */
import type { ApiKey } from '../protocol/api-key.ts'
import { describeClientQuotasResponseDefaults } from '../protocol/generated/describe-client-quotas-response.ts'
import { clusterDenial, describesCluster } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

export function enforceDescribeClientQuotas(): EnforcementOf<typeof ApiKey.DescribeClientQuotas> {
  return describesCluster(cluster.describeConfigs, () => ({
    ...describeClientQuotasResponseDefaults(),
    ...clusterDenial,
    errorMessage: null,
    entries: null,
  }))
}
