/** UpdateFeatures: Alter on the cluster. (ControllerApis.handleUpdateFeatures) */
import type { ApiKey } from '../protocol/api-key.ts'
import { updateFeaturesResponseDefaults } from '../protocol/generated/update-features-response.ts'
import { altersCluster, clusterDenial } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

export function enforceUpdateFeatures(): EnforcementOf<typeof ApiKey.UpdateFeatures> {
  return altersCluster(cluster.alter, () => ({ ...updateFeaturesResponseDefaults(), ...clusterDenial }))
}
