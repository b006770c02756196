/** TLS towards one cluster's brokers over time. Connections are dialled with what is in force; open ones live on. */
import type { UpstreamTlsConfig } from '../config/config.ts'
import { checkKeyAccess } from '../config/key-access.ts'
import type { Reloadable } from '../config/reloadable.ts'
import { pathsIn, reread } from '../config/reread.ts'
import { ClientTls } from '../tls/client-context.ts'
import { loadIdentity } from '../tls/tls-identity.ts'
import { loadTrust } from '../tls/trust.ts'
import { type Expiring, expiriesOf } from './expiry-watch.ts'
import { prove } from './prove.ts'

export class UpstreamTls implements Reloadable {
  readonly name: string
  readonly files: readonly string[]
  readonly #config: UpstreamTlsConfig
  #current: ClientTls

  constructor(cluster: string, config: UpstreamTlsConfig) {
    this.name = `upstream ${cluster}`
    this.files = pathsIn(config)
    this.#config = config
    this.#current = new ClientTls(config, new Date())
  }

  get current(): ClientTls {
    return this.#current
  }

  get expiries(): readonly Expiring[] {
    return expiriesOf(this.name, this.#current)
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
    this.#current = new ClientTls(fresh, now)
  }
}
