/**
 * TLS of one listener over time, and the keys of its tickets. Its certificate is one set of files, whom clients are vouched
 * for by another, each validated before it counts: a certificate that cannot be used keeps no revocation from being seen.
 */
import { randomBytes } from 'node:crypto'
import type { ListenerConfig, ListenerTlsConfig } from '../config/config.ts'
import { checkKeyAccess } from '../config/key-access.ts'
import type { Reloadable } from '../config/reloadable.ts'
import { pathsIn, reread } from '../config/reread.ts'
import type { RevocationList } from '../tls/revocation-list.ts'
import {
  clientTrust,
  createServerTls,
  loadServerTls,
  type ServerTls,
  type ServerTlsOptions,
} from '../tls/server-context.ts'
import { checkSuccessor } from '../tls/successor.ts'
import { loadIdentity, type TlsIdentity } from '../tls/tls-identity.ts'
import type { Trust } from '../tls/trust.ts'
import { type Expiring, expiriesOf } from './expiry-watch.ts'
import { Parts, prove } from './prove.ts'

export interface ListenerTlsOptions {
  readonly handshakeTimeoutMs: number
  /** A new context is in force: hand it to the listener, and end what it would not let in again. */
  readonly onReplaced: () => void
  readonly onTicketKeys: (keys: Buffer) => void
}

/** Whoever learns the keys reads the sessions sealed by them; each change costs every client one full handshake. */
const TICKET_KEYS_MS = 12 * 3_600_000
const TICKET_KEYS_BYTES = 48

export class ListenerTls implements Reloadable {
  readonly name: string
  readonly files: readonly string[]
  readonly #config: ListenerTlsConfig
  readonly #hosts: readonly string[]
  readonly #options: ListenerTlsOptions
  readonly #timer: NodeJS.Timeout
  #ticketKeys = randomBytes(TICKET_KEYS_BYTES)
  #current: ServerTls

  constructor({ name, tls, advertise }: ListenerConfig, options: ListenerTlsOptions) {
    this.name = `listener ${name}`
    this.#config = tls!
    this.#hosts = [advertise.host]
    this.#options = options
    this.files = pathsIn(tls)
    this.#current = loadServerTls(this.#config, { ...this.#loading, now: new Date() })
    this.#timer = setInterval(() => this.renewTicketKeys(), TICKET_KEYS_MS)
    this.#timer.unref()
  }

  get current(): ServerTls {
    return this.#current
  }

  get revocations(): readonly RevocationList[] {
    return this.#current.trust?.revocations ?? []
  }

  get expiries(): readonly Expiring[] {
    return expiriesOf(this.name, this.#current)
  }

  async reload(): Promise<void> {
    const now = new Date()
    const parts = new Parts(this.name)
    const identity = await parts.next(() => this.#nextIdentity(now), this.#current.identity)
    const trust = await parts.next(() => this.#nextTrust(now), this.#current.trust)
    if (parts.haveChanged) {
      this.#current = createServerTls({ ...this.#config, identity, trust }, this.#loading)
      this.#options.onReplaced()
    }
    parts.throwProblems()
  }

  renewTicketKeys(): void {
    this.#ticketKeys = randomBytes(TICKET_KEYS_BYTES)
    this.#current = {
      ...this.#current,
      contextOptions: { ...this.#current.contextOptions, ticketKeys: this.#ticketKeys },
    }
    this.#options.onTicketKeys(this.#ticketKeys)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  get #loading(): ServerTlsOptions {
    const { handshakeTimeoutMs } = this.#options
    return { scope: this.name, handshakeTimeoutMs, ticketKeys: this.#ticketKeys }
  }

  async #nextIdentity(now: Date): Promise<TlsIdentity> {
    const { identity, keyPermissions } = await reread(this.#config, this.name, ['identity', 'keyPermissions'])
    const [certificate, key] =
      identity.kind === 'pem' ? [identity.certificate, identity.key] : [identity.store, identity.store]
    let next: TlsIdentity | undefined
    prove(this.name, [
      () => checkKeyAccess(key, keyPermissions),
      () => {
        next = loadIdentity(identity, { purpose: 'server', now })
        checkSuccessor(certificate.path, next, this.#current.identity, this.#hosts)
      },
    ])
    return next!
  }

  async #nextTrust(now: Date): Promise<Trust | undefined> {
    return clientTrust(await reread(this.#config, this.name, ['clientAuth', 'clientCa', 'crl']), now)
  }
}
