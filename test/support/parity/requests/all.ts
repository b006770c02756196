import { ApiKey } from '../../../../src/protocol/api-key.ts'
import type { Describe } from '../step.ts'
import { clusterRequests } from './cluster.ts'
import { configRequests } from './configs.ts'
import { groupRequests } from './groups.ts'
import { newGroupRequests } from './new-groups.ts'
import { recordRequests } from './records.ts'
import { topicRequests } from './topics.ts'
import { transactionRequests } from './transactions.ts'

const described: Readonly<Record<number, unknown>> = {
  ...recordRequests,
  ...topicRequests,
  ...groupRequests,
  ...transactionRequests,
  ...configRequests,
  ...clusterRequests,
  ...newGroupRequests,
}

export const describers: ReadonlyMap<ApiKey, Describe<ApiKey>> = new Map(
  Object.entries(described).map(([key, describe]) => [Number(key) as ApiKey, describe as Describe<ApiKey>]),
)

/** Client APIs that this comparison leaves out. */
export const notCompared: ReadonlyMap<ApiKey, string> = new Map([
  [
    ApiKey.SaslHandshake,
    'says who asks, and asks for no permission; proven in test/threats and test/system/sasl.test.ts',
  ],
  [
    ApiKey.SaslAuthenticate,
    'says who asks, and asks for no permission; proven in test/threats and test/system/sasl.test.ts',
  ],
  [ApiKey.ApiVersions, 'asks for no permission; what the gateway offers is its own and proven in test/pipeline'],
  [ApiKey.CreateDelegationToken, 'a token would belong to the gateway; refused'],
  [ApiKey.RenewDelegationToken, 'a token would belong to the gateway; refused'],
  [ApiKey.ExpireDelegationToken, 'a token would belong to the gateway; refused'],
  [ApiKey.DescribeDelegationToken, 'a token would belong to the gateway; refused'],
])

/** Refused where clients log in at the gateway: the credentials that brokers keep are not theirs. */
export const credentialKeys: ReadonlySet<ApiKey> = new Set([
  ApiKey.DescribeUserScramCredentials,
  ApiKey.AlterUserScramCredentials,
])

/** Versions that brokers alone send. */
export const clientVersionMax: ReadonlyMap<ApiKey, number> = new Map([[ApiKey.AddPartitionsToTxn, 3]])
