/**
 * Rule zero: which API keys and versions this gateway lets through at all. What has no row here is not advertised in
 * ApiVersions and never reaches a broker.
 */
import { ApiKey } from '../protocol/api-key.ts'
import { type ApiDescription, describeApi } from '../protocol/api-table.ts'

export interface VersionRange {
  readonly min: number
  readonly max: number
}

/** Brokers and controllers talk to each other with these; a client that sends one is never a client. */
export const interBrokerKeys: ReadonlySet<number> = new Set([
  // LeaderAndIsr, StopReplica, UpdateMetadata, ControlledShutdown: without a version since Kafka 4.0.
  4,
  5,
  6,
  7,
  ApiKey.Vote,
  ApiKey.BeginQuorumEpoch,
  ApiKey.EndQuorumEpoch,
  ApiKey.AlterPartition,
  // Carries another principal: forwarded, it would be an impersonation.
  ApiKey.Envelope,
  ApiKey.FetchSnapshot,
  ApiKey.BrokerRegistration,
  ApiKey.BrokerHeartbeat,
  ApiKey.AllocateProducerIds,
  ApiKey.ControllerRegistration,
  ApiKey.AssignReplicasToDirs,
  ApiKey.UpdateRaftVoter,
  ApiKey.InitializeShareGroupState,
  ApiKey.ReadShareGroupState,
  ApiKey.WriteShareGroupState,
  ApiKey.DeleteShareGroupState,
  ApiKey.ReadShareGroupStateSummary,
])

/** Client APIs that nobody may use where there is no policy to judge them. */
export const refusedWithoutPolicy: ReadonlySet<number> = new Set([
  // Until a policy can say who may alter the cluster.
  ApiKey.WriteTxnMarkers,
  // A listener without SASL has no conversation to relay: whoever starts one would log in past the gateway.
  ApiKey.SaslHandshake,
  ApiKey.SaslAuthenticate,
  // A token would belong to the gateway's own principal, outlive its connection and work without the gateway.
  ApiKey.CreateDelegationToken,
  ApiKey.RenewDelegationToken,
  ApiKey.ExpireDelegationToken,
  ApiKey.DescribeDelegationToken,
])

/** Versions whose later form belongs to brokers alone. */
const versionMax: ReadonlyMap<number, number> = new Map([[ApiKey.AddPartitionsToTxn, 3]])

const apiKeyMax = 0x7f

const loginKeys: readonly number[] = [ApiKey.SaslHandshake, ApiKey.SaslAuthenticate]

/** Acts on the credentials that brokers keep; through the gateway these are its own. */
const credentialKeys: readonly number[] = [
  ApiKey.CreateDelegationToken,
  ApiKey.RenewDelegationToken,
  ApiKey.ExpireDelegationToken,
  ApiKey.DescribeDelegationToken,
  ApiKey.DescribeUserScramCredentials,
  ApiKey.AlterUserScramCredentials,
]

export interface Logins {
  /** Clients log in here, or through here at the brokers. */
  readonly fromClients: boolean
  /** Brokers see another credential than the client's own. */
  readonly areReplaced: boolean
}

/** What is refused on a listener, given what is refused whatever its logins are. */
export function refusedWith(refused: ReadonlySet<number>, { fromClients, areReplaced }: Logins): ReadonlySet<number> {
  const all = new Set([...refused, ...loginKeys, ...(areReplaced ? credentialKeys : [])])
  if (fromClients) for (const key of loginKeys) all.delete(key)
  return all
}

export class ServedApis {
  readonly #rows: (VersionRange | undefined)[] = []

  /** `refused`: client APIs that nobody may use. */
  constructor(refused: ReadonlySet<number> = refusedWithoutPolicy) {
    for (let apiKey = 0; apiKey <= apiKeyMax; apiKey++) {
      const api = describeApi(apiKey)
      if (api === undefined || interBrokerKeys.has(apiKey) || refused.has(apiKey)) continue
      const max = Math.min(api.maxVersion, versionMax.get(apiKey) ?? api.maxVersion)
      this.#rows[apiKey] = Object.freeze({ min: api.minVersion, max })
    }
  }

  /** The versions served; undefined where the key is refused. */
  versionsOf(apiKey: number): VersionRange | undefined {
    return this.#rows[apiKey]
  }

  find(apiKey: number, apiVersion: number): ApiDescription | undefined {
    const versions = this.#rows[apiKey]
    if (versions === undefined || apiVersion < versions.min || apiVersion > versions.max) return undefined
    return describeApi(apiKey)
  }
}
