/** Resources that have settings, as DescribeConfigs and its siblings tell them apart (org.apache.kafka.common.config.ConfigResource). */
import { ErrorCode } from '../protocol/error-code.ts'
import type { Judge } from './judge.ts'
import { cluster, clusterName, group, type Right, topic } from './rights.ts'

export const ConfigResourceType = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const

export type ConfigTypeName = keyof typeof ConfigResourceType

const nameOf = new Map<number, ConfigTypeName>(
  Object.entries(ConfigResourceType).map(([name, type]) => [type, name as ConfigTypeName]),
)

/** Undefined for types that Kafka does not have. */
export function configTypeName(resourceType: number): ConfigTypeName | undefined {
  return nameOf.get(resourceType)
}

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

/** Settings of topics and groups are their own; those of brokers and of client metrics belong to the cluster. */
export function mayUseConfigs(
  operation: 'describeConfigs' | 'alterConfigs',
  { resourceType, resourceName }: Resource,
  ask: (right: Right, name: string) => boolean,
): boolean {
  if (resourceType === ConfigResourceType.topic) return ask(topic[operation], resourceName)
  if (resourceType === ConfigResourceType.group) return ask(group[operation], resourceName)
  return ask(cluster[operation], clusterName)
}

export function configDenial(resourceType: number): number {
  if (resourceType === ConfigResourceType.topic) return ErrorCode.TOPIC_AUTHORIZATION_FAILED
  if (resourceType === ConfigResourceType.group) return ErrorCode.GROUP_AUTHORIZATION_FAILED
  return ErrorCode.CLUSTER_AUTHORIZATION_FAILED
}

export const asking = (judge: Judge) => (right: Right, name: string) => judge.allows(right, name)
export const seeing = (judge: Judge) => (right: Right, name: string) => judge.sees(right, name)
