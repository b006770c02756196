/** TLS towards one cluster's brokers over time. Connections are dialled with what is in force; open ones live on. */
import type { ConnectionOptions } from 'node:tls'
import type { UpstreamTlsConfig } from '../config/config.ts'
import { checkKeyAccess } from '../config/key-access.ts'
import { filesIn, type MappedIdentities, mappingIn, readMappedIdentities } from '../config/mapped-identities.ts'
import type { Reloadable } from '../config/reloadable.ts'
import { pathsIn, reread } from '../config/reread.ts'
import { UpstreamError } from '../errors.ts'
import { ClientTls } from '../tls/client-context.ts'
import { loadIdentity } from '../tls/tls-identity.ts'
import { loadTrust } from '../tls/trust.ts'
import { type Expiring, expiriesOf } from './expiry-watch.ts'
import { prove } from './prove.ts'

export class UpstreamTls implements Reloadable {
  readonly name: string
  readonly #config: UpstreamTlsConfig
  /** Paths that the mapping names, the one in force or the one that was looked at last. */
  #named: readonly string[] = []
  #current: ClientTls
  /** Absent: every connection shows the gateway's own certificate. */
  #mapped: MappedIdentities | undefined

  private constructor(cluster: string, config: UpstreamTlsConfig) {
    this.name = `upstream ${cluster}`
    this.#config = config
    this.#current = new ClientTls(config, new Date())
  }

  /** Reads the certificates of principals, where there are any. */
  static async open(cluster: string, config: UpstreamTlsConfig): Promise<UpstreamTls> {
    const tls = new UpstreamTls(cluster, config)
    tls.#mapped = await tls.#readMapped(config, new Date())
    return tls
  }

  get files(): readonly string[] {
    return [...new Set([...pathsIn(this.#config), ...this.#named])]
  }

  get current(): ClientTls {
    return this.#current
  }

  /** Whether brokers see another certificate for each principal. */
  get isMapped(): boolean {
    return this.#config.certificates !== undefined
  }

  get expiries(): readonly Expiring[] {
    const chain = [...(this.#mapped?.values() ?? [])].flatMap(({ chain }) => chain)
    return [
      ...expiriesOf(this.name, this.#current),
      ...expiriesOf(`certificates of ${this.name}`, { identity: { chain }, trust: undefined }),
    ]
  }

  /** Throws where there is a mapping and the principal is not in it. */
  checkPrincipal(principal: string): void {
    if (this.#mapped === undefined || this.#mapped.has(principal)) return
    throw new UpstreamError('VKITM_UPSTREAM_NO_CREDENTIAL', 'the principal has no entry in upstream.tls.certificates', {
      retriable: false,
      details: { principal },
    })
  }

  /** How to end up on TLS with a broker: as the principal, or as the gateway itself. */
  connectOptions(host: string, principal?: string): ConnectionOptions {
    if (principal === undefined || this.#mapped === undefined) return this.#current.connectOptions(host)
    this.checkPrincipal(principal)
    return this.#current.connectOptions(host, this.#mapped.get(principal))
  }

  async reload(): Promise<void> {
    const fresh = await reread(this.#config, this.name)
    const now = new Date()
    const { identity, ca, crl, keyPermissions } = fresh
    prove(this.name, [
      () => {
        if (identity === undefined) return
        checkKeyAccess(identity.kind === 'pem' ? identity.key : identity.store, keyPermissions)
        loadIdentity(identity, { purpose: 'client', now })
      },
      () => {
        if (ca !== undefined) loadTrust(ca, { crl, now, side: 'client' })
      },
    ])
    const mapped = await this.#readMapped(fresh, now)
    this.#current = new ClientTls(fresh, now)
    this.#mapped = mapped
  }

  async #readMapped(config: UpstreamTlsConfig, now: Date): Promise<MappedIdentities | undefined> {
    const { certificates, keyPermissions } = config
    if (certificates === undefined) return undefined
    const mapping = mappingIn(certificates)
    // What a mapping names may come after it: it is watched from now on, good or not.
    this.#named = filesIn(mapping)
    return readMappedIdentities(certificates, mapping, { now, keyPermissions })
  }
}
