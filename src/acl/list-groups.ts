/** ListGroups: never denied; who may not describe the cluster sees the groups it may describe. (KafkaApis.handleListGroupsRequest) */
import type { ApiKey } from '../protocol/api-key.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster, clusterName, group } from './rights.ts'

export function enforceListGroups(): EnforcementOf<typeof ApiKey.ListGroups> {
  return {
    response(body, judge) {
      if (judge.sees(cluster.describe, clusterName)) {
        judge.uses([cluster.describe, clusterName])
        return false
      }
      const seen = body.groups.filter(({ groupId }) => judge.sees(group.describe, groupId))
      const isChanged = seen.length < body.groups.length
      body.groups = seen
      return isChanged
    },
  }
}
