/** AlterPartitionReassignments: Alter on the cluster. (ControllerApis.handleAlterPartitionReassignments) */
import type { ApiKey } from '../protocol/api-key.ts'
import { alterPartitionReassignmentsResponseDefaults } from '../protocol/generated/alter-partition-reassignments-response.ts'
import { altersCluster, clusterDenial } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

export function enforceAlterPartitionReassignments(): EnforcementOf<typeof ApiKey.AlterPartitionReassignments> {
  return altersCluster(cluster.alter, ({ topics }) => ({
    ...alterPartitionReassignmentsResponseDefaults(),
    ...clusterDenial,
    responses: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...clusterDenial })),
    })),
  }))
}
