/** AddRaftVoter: Alter on the cluster. (ControllerApis.handleAddRaftVoter) */
import type { ApiKey } from '../protocol/api-key.ts'
import { addRaftVoterResponseDefaults } from '../protocol/generated/add-raft-voter-response.ts'
import { altersCluster, clusterDenial } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

export function enforceAddRaftVoter(): EnforcementOf<typeof ApiKey.AddRaftVoter> {
  return altersCluster(cluster.alter, () => ({ ...addRaftVoterResponseDefaults(), ...clusterDenial }))
}
