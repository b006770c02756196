/**
 * TLS towards brokers: the chain and the host name are verified unless the configuration says out loud that they are not.
 * One secure context serves all connections with one certificate; parsing certificates for each would cost more than the rest.
 */
import { isIP } from 'node:net'
import {
  type ConnectionOptions,
  checkServerIdentity,
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls'
import { TlsError } from '../errors.ts'
import type { FileContent } from './tls-files.ts'
import { type IdentitySource, loadIdentity, type TlsIdentity } from './tls-identity.ts'
import { profile, type TlsVersion } from './tls-profile.ts'
import { loadTrust, type Trust, type TrustSource, trustOptions } from './trust.ts'

export interface ClientTlsSource {
  /** Absent: Node's roots. */
  readonly ca?: TrustSource
  readonly identity?: IdentitySource
  /** The name every broker's certificate must carry instead of its own host name. */
  readonly serverName?: string
  readonly minVersion: TlsVersion
  readonly crl: readonly FileContent[]
  readonly dangerouslySkipVerification: boolean
}

export class ClientTls {
  readonly identity: TlsIdentity | undefined
  readonly trust: Trust | undefined
  readonly #options: SecureContextOptions
  /** One for each identity, made when it is first used. */
  readonly #contexts = new Map<TlsIdentity | undefined, SecureContext>()
  readonly #serverName: string | undefined
  readonly #verify: boolean

  constructor(source: ClientTlsSource, now: Date) {
    if (source.crl.length > 0 && source.ca === undefined)
      throw new TlsError('crl needs ca: the CA whose lists they are')
    this.identity = source.identity && loadIdentity(source.identity, { purpose: 'client', now })
    this.trust = source.ca && loadTrust(source.ca, { crl: source.crl, now, side: 'client' })
    this.#options = { ...profile(source.minVersion), ...(this.trust && trustOptions(this.trust)) }
    this.#contextOf(this.identity)
    this.#serverName = source.serverName
    this.#verify = !source.dangerouslySkipVerification
  }

  /**
   * To be spread beside where to connect: `{ host, port }`, or a `socket` that is connected already. `identity` is the
   * certificate to show instead of the own one.
   */
  connectOptions(host: string, identity: TlsIdentity | undefined = this.identity): ConnectionOptions {
    const name = (this.#serverName ?? host).toLowerCase()
    return {
      secureContext: this.#contextOf(identity),
      // RFC 6066 allows no address here; a server without the extension shows its default certificate.
      ...(isIP(name) === 0 && { servername: name }),
      rejectUnauthorized: this.#verify,
      checkServerIdentity: (_, certificate) => (this.#verify ? checkServerIdentity(name, certificate) : undefined),
    }
  }

  #contextOf(identity: TlsIdentity | undefined): SecureContext {
    const known = this.#contexts.get(identity)
    if (known !== undefined) return known
    const context = createSecureContext({ ...this.#options, ...identity?.contextOptions() })
    this.#contexts.set(identity, context)
    return context
  }
}
