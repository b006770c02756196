/** TLS towards one cluster's brokers over time. Connections are dialled with what is in force; open ones live on. */
import type { ConnectionOptions } from 'node:tls'
import type { UpstreamTlsConfig } from '../config/config.ts'
import { checkKeyAccess } from '../config/key-access.ts'
import { filesIn, type MappedIdentities, mappingIn, readMappedIdentities } from '../config/mapped-identities.ts'
import type { Reloadable } from '../config/reloadable.ts'
import { pathsIn, reread } from '../config/reread.ts'
import { UpstreamError } from '../errors.ts'
import { brokerTrust, ClientTls, clientIdentity } from '../tls/client-context.ts'
import type { TlsIdentity } from '../tls/tls-identity.ts'
import type { Trust } from '../tls/trust.ts'
import { type Expiring, expiriesOf } from './expiry-watch.ts'
import { Parts, prove } from './prove.ts'

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
    this.#current = ClientTls.load(config, new Date())
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
    const now = new Date()
    const parts = new Parts(this.name)
    const identity = await parts.next(() => this.#nextIdentity(now), this.#current.identity)
    const trust = await parts.next(() => this.#nextTrust(now), this.#current.trust)
    const mapped = await parts.next(() => this.#nextMapped(now), this.#mapped)
    this.#current = new ClientTls({ ...this.#config, identity, trust })
    this.#mapped = mapped
    parts.throwProblems()
  }

  async #nextIdentity(now: Date): Promise<TlsIdentity | undefined> {
    const { identity, keyPermissions } = await reread(this.#config, this.name, ['identity', 'keyPermissions'])
    let next: TlsIdentity | undefined
    prove(this.name, [
      () => {
        if (identity !== undefined)
          checkKeyAccess(identity.kind === 'pem' ? identity.key : identity.store, keyPermissions)
      },
      () => {
        next = clientIdentity(identity, now)
      },
    ])
    return next
  }

  async #nextTrust(now: Date): Promise<Trust | undefined> {
    return brokerTrust(await reread(this.#config, this.name, ['ca', 'crl']), now)
  }

  async #nextMapped(now: Date): Promise<MappedIdentities | undefined> {
    return this.#readMapped(await reread(this.#config, this.name, ['certificates', 'keyPermissions']), now)
  }

  async #readMapped(
    config: Pick<UpstreamTlsConfig, 'certificates' | 'keyPermissions'>,
    now: Date,
  ): Promise<MappedIdentities | undefined> {
    const { certificates, keyPermissions } = config
    if (certificates === undefined) return undefined
    const mapping = mappingIn(certificates)
    // What a mapping names may come after it: it is watched from now on, good or not.
    this.#named = filesIn(mapping)
    return readMappedIdentities(certificates, mapping, { now, keyPermissions })
  }
}
