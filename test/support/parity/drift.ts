/** Do both sides still hold the same? Asked at the end of a batch, past every rule. */
import { ApiKey } from '../../../src/protocol/api-key.ts'
import type { PartialBody } from './complete-body.ts'
import { normalised, type Plain, sorted } from './normalise.ts'
import type { Side } from './side.ts'

export async function stateOf(side: Side): Promise<Record<string, Plain>> {
  const ask = async <Key extends ApiKey>(key: Key, version: number, body: PartialBody<Key>): Promise<Plain> =>
    sorted(normalised(key, await side.admin(key, version, body), side))
  const { topics: all } = await side.admin(ApiKey.Metadata, 12, { topics: null })
  const topics = all.filter(({ name }) => !name!.startsWith('__') && !name!.startsWith('rig-'))
  const { groups } = await side.admin(ApiKey.ListGroups, 5, {})
  const latest = topics.map(({ name, partitions }) => ({
    name: name!,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, timestamp: -1n })),
  }))
  const resources = topics.map(({ name }) => ({
    resourceType: 2,
    resourceName: name!,
    configurationKeys: ['retention.ms', 'cleanup.policy'],
  }))
  return {
    topics: await ask(ApiKey.Metadata, 12, { topics: topics.map(({ name }) => ({ name })) }),
    offsets: await ask(ApiKey.ListOffsets, 9, { topics: latest }),
    configs: await ask(ApiKey.DescribeConfigs, 4, { resources }),
    groups: groups.map(({ groupId, groupType, groupState }) => `${groupId} ${groupType} ${groupState}`).sort(),
    committed: await ask(ApiKey.OffsetFetch, 9, {
      groups: groups
        .filter(({ groupType }) => groupType === 'classic' || groupType === 'consumer')
        .map(({ groupId }) => ({ groupId, topics: null })),
    }),
    transactions: await ask(ApiKey.ListTransactions, 1, {}),
    rules: await ask(ApiKey.DescribeAcls, 3, {
      ...{ resourceTypeFilter: 1, patternTypeFilter: 1, operation: 1, permissionType: 1 },
      ...{ resourceNameFilter: null, principalFilter: null, hostFilter: null },
    }),
    quotas: await ask(ApiKey.DescribeClientQuotas, 1, {}),
  }
}

/** The parts that differ. */
export async function driftOf(expected: Side, tested: Side): Promise<{ part: string; expected: Plain; got: Plain }[]> {
  const [first, second] = await Promise.all([stateOf(expected), stateOf(tested)])
  return Object.keys(first)
    .filter(part => JSON.stringify(first[part]) !== JSON.stringify(second[part]))
    .map(part => ({ part, expected: first[part]!, got: second[part]! }))
}
