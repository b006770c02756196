/** UnregisterController: Alter on the cluster. (ControllerApis, since Kafka 4.4) */
import type { ApiKey } from '../protocol/api-key.ts'
import { unregisterControllerResponseDefaults } from '../protocol/generated/unregister-controller-response.ts'
import { altersCluster, clusterDenial } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

export function enforceUnregisterController(): EnforcementOf<typeof ApiKey.UnregisterController> {
  return altersCluster(cluster.alter, () => ({ ...unregisterControllerResponseDefaults(), ...clusterDenial }))
}
