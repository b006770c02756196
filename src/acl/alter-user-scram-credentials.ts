/** AlterUserScramCredentials: Alter on the cluster; a denial is told for each user. (ControllerApis.handleAlterUserScramCredentials) */
import type { ApiKey } from '../protocol/api-key.ts'
import { alterUserScramCredentialsResponseDefaults } from '../protocol/generated/alter-user-scram-credentials-response.ts'
import { altersCluster, clusterDenial } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

export function enforceAlterUserScramCredentials(): EnforcementOf<typeof ApiKey.AlterUserScramCredentials> {
  return altersCluster(cluster.alter, ({ deletions, upsertions }) => {
    const users = new Set([...deletions, ...upsertions].map(({ name }) => name))
    const results = [...users].sort().map(user => ({ user, ...clusterDenial }))
    return { ...alterUserScramCredentialsResponseDefaults(), results }
  })
}
