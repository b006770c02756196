/** TLS of one listener over time: its files as a set, validated before they count, and the keys of its tickets. */
import { randomBytes } from 'node:crypto'
import type { ListenerConfig, ListenerTlsConfig } from '../config/config.ts'
import { checkKeyAccess } from '../config/key-access.ts'
import type { Reloadable } from '../config/reloadable.ts'
import { pathsIn, reread } from '../config/reread.ts'
import type { RevocationList } from '../tls/revocation-list.ts'
import { loadServerTls, type ServerTls } from '../tls/server-context.ts'
import { checkSuccessor } from '../tls/successor.ts'
import { loadIdentity } from '../tls/tls-identity.ts'
import { loadTrust } from '../tls/trust.ts'
import { type Expiring, expiriesOf } from './expiry-watch.ts'
import { prove } from './prove.ts'

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
    this.#current = this.#load(this.#config, new Date())
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
    const fresh = await reread(this.#config, this.name)
    const now = new Date()
    this.#prove(fresh, now)
    this.#current = this.#load(fresh, now)
    this.#options.onReplaced()
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

  #load(source: ListenerTlsConfig, now: Date): ServerTls {
    const { handshakeTimeoutMs } = this.#options
    return loadServerTls(source, { scope: this.name, handshakeTimeoutMs, now, ticketKeys: this.#ticketKeys })
  }

  #prove({ identity, clientCa, clientAuth, crl, keyPermissions }: ListenerTlsConfig, now: Date): void {
    const [certificate, key] =
      identity.kind === 'pem' ? [identity.certificate, identity.key] : [identity.store, identity.store]
    prove(this.name, [
      () => checkKeyAccess(key, keyPermissions),
      () => {
        const next = loadIdentity(identity, { purpose: 'server', now })
        checkSuccessor(certificate.path, next, this.#current.identity, this.#hosts)
      },
      () => {
        if (clientAuth !== 'none' && clientCa !== undefined) loadTrust(clientCa, { crl, now, side: 'server' })
      },
    ])
  }
}
