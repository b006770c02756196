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

/** Parts that were loaded, each in its time. */
export interface ClientTlsParts
  extends Pick<ClientTlsSource, 'serverName' | 'minVersion' | 'dangerouslySkipVerification'> {
  readonly identity: TlsIdentity | undefined
  readonly trust: Trust | undefined
}

/** Who vouches for brokers; undefined where that is up to Node's roots. */
export function brokerTrust({ ca, crl }: Pick<ClientTlsSource, 'ca' | 'crl'>, now: Date): Trust | undefined {
  if (crl.length > 0 && ca === undefined) throw new TlsError('crl needs ca: the CA whose lists they are')
  return ca && loadTrust(ca, { crl, now, side: 'client' })
}

export const clientIdentity = (source: IdentitySource | undefined, now: Date): TlsIdentity | undefined =>
  source && loadIdentity(source, { purpose: 'client', now })

export class ClientTls {
  readonly identity: TlsIdentity | undefined
  readonly trust: Trust | undefined
  readonly #options: SecureContextOptions
  /** One for each identity, made when it is first used. */
  readonly #contexts = new Map<TlsIdentity | undefined, SecureContext>()
  readonly #serverName: string | undefined
  readonly #verify: boolean

  constructor({ identity, trust, serverName, minVersion, dangerouslySkipVerification }: ClientTlsParts) {
    this.identity = identity
    this.trust = trust
    this.#options = { ...profile(minVersion), ...(trust && trustOptions(trust)) }
    this.#contextOf(identity)
    this.#serverName = serverName
    this.#verify = !dangerouslySkipVerification
  }

  static load(source: ClientTlsSource, now: Date): ClientTls {
    return new ClientTls({ ...source, identity: clientIdentity(source.identity, now), trust: brokerTrust(source, now) })
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
