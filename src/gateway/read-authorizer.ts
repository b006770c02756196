/** A running cluster's ACLs and its brokers' authorizer, read with the gateway's own identity and without a gateway. */

import type { Acl } from '../acl/policy/acls-to-policy.ts'
import { authorizerSettings, type BrokerSettings } from '../acl/policy/authorizer-settings.ts'
import { everyAcl, readDescribedAcls } from '../acl/policy/described-acls.ts'
import type { ClusterConfig, Config } from '../config/config.ts'
import { askAuthorizer } from '../upstream/authorizer-questions.ts'
import { ByteBudget } from '../wire/byte-budget.ts'
import { ReceiveBuffers } from '../wire/receive-buffers.ts'
import { BrokerLogins } from './broker-logins.ts'
import { createClusterConnect } from './cluster-connect.ts'
import { UpstreamTls } from './upstream-tls.ts'

export interface ClusterAuthorizer {
  /** Undefined where brokers have no authorizer. */
  readonly acls: readonly Acl[] | undefined
  readonly brokers: readonly BrokerSettings[]
}

/** Rejects with an UpstreamError where nobody answers, or where the cluster does not tell. */
export async function readAuthorizer(
  { name, upstream }: ClusterConfig,
  { limits }: Pick<Config, 'limits'>,
): Promise<ClusterAuthorizer> {
  const { connectTimeout: connectTimeoutMs, frameBytes, bufferedBytes } = limits
  const { connect } = createClusterConnect({
    upstream,
    tls: upstream.tls === undefined ? undefined : await UpstreamTls.open(name, upstream.tls),
    logins: upstream.sasl === undefined ? undefined : new BrokerLogins(name, upstream.sasl, connectTimeoutMs),
    connectTimeoutMs,
    frameBytesMax: 2 * frameBytes,
    budget: new ByteBudget(bufferedBytes),
    buffers: new ReceiveBuffers(),
    now: () => performance.now(),
  })
  const { acls, brokers } = await askAuthorizer({
    bootstrap: upstream.bootstrap,
    connect,
    filter: everyAcl,
    settings: Object.values(authorizerSettings),
  })
  return { acls: acls === undefined ? undefined : readDescribedAcls(acls), brokers }
}
