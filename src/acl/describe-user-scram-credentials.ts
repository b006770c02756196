/**
 * DescribeUserScramCredentials: Describe on the cluster; a denial has no text and a nameless result for each user.
 * (KafkaApis.handleDescribeUserScramCredentialsRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import {
  describeUserScramCredentialsResponseDefaults,
  describeUserScramCredentialsResultDefaults,
} from '../protocol/generated/describe-user-scram-credentials-response.ts'
import { clusterDenial, describesCluster } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

const textless = { ...clusterDenial, errorMessage: null }

export function enforceDescribeUserScramCredentials(): EnforcementOf<typeof ApiKey.DescribeUserScramCredentials> {
  return describesCluster(cluster.describe, ({ users }) => ({
    ...describeUserScramCredentialsResponseDefaults(),
    ...textless,
    results: (users ?? []).map(() => ({ ...describeUserScramCredentialsResultDefaults(), ...textless })),
  }))
}
