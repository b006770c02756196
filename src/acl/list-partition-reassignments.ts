/**
 * ListPartitionReassignments: Describe on the cluster, which shows the topics that may be described.
 * (ControllerApis.handleListPartitionReassignments)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import {
  listPartitionReassignmentsResponseDefaults,
  ongoingPartitionReassignmentDefaults,
} from '../protocol/generated/list-partition-reassignments-response.ts'
import { clusterDenial, describesCluster } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { dropHidden } from './hidden.ts'
import { cluster, topic as topicRights } from './rights.ts'

export function enforceListPartitionReassignments(): EnforcementOf<typeof ApiKey.ListPartitionReassignments> {
  return describesCluster(
    cluster.describe,
    ({ topics }) => ({
      ...listPartitionReassignmentsResponseDefaults(),
      ...clusterDenial,
      topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map(partitionIndex => ({
          ...ongoingPartitionReassignmentDefaults(),
          partitionIndex,
        })),
      })),
    }),
    ({ topics }, judge) => dropHidden(topics, ({ name }) => judge.seesBeside(topicRights.describe, name)),
  )
}
