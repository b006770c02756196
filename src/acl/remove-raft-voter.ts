/** RemoveRaftVoter: Alter on the cluster. (ControllerApis.handleRemoveRaftVoter) */
import type { ApiKey } from '../protocol/api-key.ts'
import { removeRaftVoterResponseDefaults } from '../protocol/generated/remove-raft-voter-response.ts'
import { altersCluster, clusterDenial } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

export function enforceRemoveRaftVoter(): EnforcementOf<typeof ApiKey.RemoveRaftVoter> {
  return altersCluster(cluster.alter, () => ({ ...removeRaftVoterResponseDefaults(), ...clusterDenial }))
}
