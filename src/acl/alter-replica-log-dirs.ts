/** AlterReplicaLogDirs: Alter on the cluster. (KafkaApis.handleAlterReplicaLogDirsRequest) */
import type { ApiKey } from '../protocol/api-key.ts'
import { alterReplicaLogDirsResponseDefaults } from '../protocol/generated/alter-replica-log-dirs-response.ts'
import { altersCluster, clusterDenial } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

const { errorCode } = clusterDenial

export function enforceAlterReplicaLogDirs(): EnforcementOf<typeof ApiKey.AlterReplicaLogDirs> {
  return altersCluster(cluster.alter, ({ dirs }) => ({
    ...alterReplicaLogDirsResponseDefaults(),
    results: dirs.flatMap(({ topics }) =>
      topics.map(({ name, partitions }) => ({
        topicName: name,
        partitions: partitions.map(partitionIndex => ({ partitionIndex, errorCode })),
      })),
    ),
  }))
}
