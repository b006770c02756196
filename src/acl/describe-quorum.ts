/** DescribeQuorum: Describe on the cluster. (ControllerApis.handleDescribeQuorum) */
import type { ApiKey } from '../protocol/api-key.ts'
import { describeQuorumResponseDefaults } from '../protocol/generated/describe-quorum-response.ts'
import { clusterDenial, describesCluster } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

export function enforceDescribeQuorum(): EnforcementOf<typeof ApiKey.DescribeQuorum> {
  return describesCluster(cluster.describe, () => ({ ...describeQuorumResponseDefaults(), ...clusterDenial }))
}
