/** UnregisterBroker: Alter on the cluster. (ControllerApis.handleUnregisterBroker) */
import type { ApiKey } from '../protocol/api-key.ts'
import { unregisterBrokerResponseDefaults } from '../protocol/generated/unregister-broker-response.ts'
import { altersCluster, clusterDenial } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { cluster } from './rights.ts'

export function enforceUnregisterBroker(): EnforcementOf<typeof ApiKey.UnregisterBroker> {
  return altersCluster(cluster.alter, () => ({ ...unregisterBrokerResponseDefaults(), ...clusterDenial }))
}
