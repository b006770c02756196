/**
 * ListConfigResources: DescribeConfigs on the cluster. Kafka then names every topic and group there is; here those that
 * may not be described are left out, and so are types that are closed. (KafkaApis.handleListConfigResources)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import {
  type ConfigResource,
  listConfigResourcesResponseDefaults,
} from '../protocol/generated/list-config-resources-response.ts'
import { clusterDenial, describesCluster } from './cluster-gate.ts'
import { ConfigResourceType, configTypeName } from './config-resource.ts'
import type { AclFacts, EnforcementOf } from './enforcement.ts'
import { dropHidden } from './hidden.ts'
import type { Judge } from './judge.ts'
import { cluster, group, topic } from './rights.ts'

export function enforceListConfigResources({ refuses }: AclFacts): EnforcementOf<typeof ApiKey.ListConfigResources> {
  const isSeen = ({ resourceType, resourceName }: ConfigResource, judge: Judge): boolean => {
    const typeName = configTypeName(resourceType)
    if (typeName === undefined || refuses('ListConfigResources', typeName)) return false
    if (resourceType === ConfigResourceType.topic) return judge.sees(topic.describe, resourceName)
    return resourceType !== ConfigResourceType.group || judge.sees(group.describe, resourceName)
  }
  return describesCluster(
    cluster.describeConfigs,
    () => ({ ...listConfigResourcesResponseDefaults(), errorCode: clusterDenial.errorCode }),
    ({ configResources }, judge) => dropHidden(configResources, resource => isSeen(resource, judge)),
  )
}
