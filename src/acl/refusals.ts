/**
 * What nobody may do through the gateway, whatever the rules say: whole APIs (`CreateAcls`), and APIs for one type of
 * resource (`AlterConfigs:broker`). Each default would let a client change who may do what, go around the gateway or
 * reach into the brokers themselves; SECURITY.md gives the reasons. A list of one's own takes the place of the defaults.
 */
import { interBrokerKeys } from '../pipeline/served-apis.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { allApis } from '../protocol/api-table.ts'
import { ConfigResourceType } from './config-resource.ts'

export const defaultRefusals: readonly string[] = Object.freeze([
  'DescribeAcls',
  'CreateAcls',
  'DeleteAcls',
  'CreateDelegationToken',
  'RenewDelegationToken',
  'ExpireDelegationToken',
  'DescribeDelegationToken',
  'DescribeClientQuotas',
  'AlterClientQuotas',
  'DescribeUserScramCredentials',
  'AlterUserScramCredentials',
  'UpdateFeatures',
  'UnregisterBroker',
  'GetTelemetrySubscriptions',
  'PushTelemetry',
  'AddRaftVoter',
  'RemoveRaftVoter',
  'UnregisterController',
  'DescribeConfigs:broker',
  'DescribeConfigs:brokerLogger',
  'AlterConfigs:broker',
  'AlterConfigs:clientMetrics',
  'AlterConfigs:group',
  'IncrementalAlterConfigs:broker',
  'IncrementalAlterConfigs:brokerLogger',
  'IncrementalAlterConfigs:clientMetrics',
  'IncrementalAlterConfigs:group',
])

/** Closed whatever any list says: a token would be the gateway's own, outlive its connection and work without the gateway. */
const neverOpen: readonly string[] = ['CreateDelegationToken']

const configApis = ['DescribeConfigs', 'AlterConfigs', 'IncrementalAlterConfigs', 'ListConfigResources'] as const

/** Without these nobody gets as far as being judged. */
const indispensable: ReadonlySet<number> = new Set([ApiKey.ApiVersions, ApiKey.SaslHandshake, ApiKey.SaslAuthenticate])

/** Everything that a list may name. What passes only between brokers is refused anyway. */
export const refusable: readonly string[] = Object.freeze([
  ...allApis.filter(({ key }) => !interBrokerKeys.has(key) && !indispensable.has(key)).map(({ name }) => name),
  ...configApis.flatMap(api => Object.keys(ConfigResourceType).map(type => `${api}:${type}`)),
])

export interface Refusals {
  /** For ServedApis: not advertised, and whoever sends one is closed. */
  readonly keys: ReadonlySet<number>
  /** For what is refused for one type of resource: answered as Kafka answers a denial for that type. */
  readonly refuses: (apiName: string, resourceType: string) => boolean
}

export function refusalsOf(entries: readonly string[] = defaultRefusals): Refusals {
  const refused = new Set([...entries, ...neverOpen])
  const keys = allApis.filter(({ name }) => refused.has(name)).map(({ key }) => key)
  return Object.freeze({
    keys: new Set(keys),
    refuses: (apiName: string, resourceType: string) => refused.has(`${apiName}:${resourceType}`),
  })
}

/**
 * What is wrong with a list, one sentence each. `closest` finds the name that was probably meant; it belongs to the
 * configuration, which knows how people mistype.
 */
export function refusalProblems(
  entries: readonly string[],
  closest: (word: string, candidates: readonly string[]) => string | undefined,
): string[] {
  return entries.flatMap((entry, at) => {
    if (entries.indexOf(entry) < at) return [`names ${entry} twice: leave one out`]
    if (refusable.includes(entry)) return []
    const meant = closest(entry, refusable)
    return [
      `${JSON.stringify(entry)} is no API that clients use${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    ]
  })
}
