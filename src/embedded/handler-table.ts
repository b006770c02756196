/** Every API that embedded nodes serve. */
import { ApiKey } from '../protocol/api-key.ts'
import type { Handler, VersionRange } from './handler.ts'
import { apiVersions } from './handlers/api-versions.ts'
import { createPartitions } from './handlers/create-partitions.ts'
import { createTopics } from './handlers/create-topics.ts'
import { deleteGroups } from './handlers/delete-groups.ts'
import { deleteTopics } from './handlers/delete-topics.ts'
import { describeCluster } from './handlers/describe-cluster.ts'
import { describeConfigs } from './handlers/describe-configs.ts'
import { describeGroups } from './handlers/describe-groups.ts'
import { describeTopicPartitions } from './handlers/describe-topic-partitions.ts'
import { fetch } from './handlers/fetch.ts'
import { findCoordinator } from './handlers/find-coordinator.ts'
import { heartbeat } from './handlers/heartbeat.ts'
import { initProducerId } from './handlers/init-producer-id.ts'
import { joinGroup } from './handlers/join-group.ts'
import { leaveGroup } from './handlers/leave-group.ts'
import { listGroups } from './handlers/list-groups.ts'
import { listOffsets } from './handlers/list-offsets.ts'
import { metadata } from './handlers/metadata.ts'
import { offsetCommit } from './handlers/offset-commit.ts'
import { offsetFetch } from './handlers/offset-fetch.ts'
import { offsetForLeaderEpoch } from './handlers/offset-for-leader-epoch.ts'
import { produce } from './handlers/produce.ts'
import { syncGroup } from './handlers/sync-group.ts'

const all: readonly Handler[] = [
  apiVersions,
  createPartitions,
  createTopics,
  deleteGroups,
  deleteTopics,
  describeCluster,
  describeConfigs,
  describeGroups,
  describeTopicPartitions,
  fetch,
  findCoordinator,
  heartbeat,
  initProducerId,
  joinGroup,
  leaveGroup,
  listGroups,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  offsetForLeaderEpoch,
  produce,
  syncGroup,
]

export const handlers: ReadonlyMap<number, Handler> = new Map(all.map(handler => [handler.key, handler]))

/** Other than what we can: a cluster plays an older one, or one with APIs that a test answers. */
export type ServedApis = Partial<Record<keyof typeof ApiKey, VersionRange | 'absent'>>

export function servedVersions(overrides: ServedApis): ReadonlyMap<number, VersionRange> {
  const served = new Map<number, VersionRange>(Array.from(handlers, ([key, { versions }]) => [key, versions]))
  for (const [name, versions] of Object.entries(overrides)) {
    const key = ApiKey[name as keyof typeof ApiKey]
    if (versions === 'absent') served.delete(key)
    else served.set(key, versions)
  }
  return served
}
