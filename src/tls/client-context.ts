/**
 * TLS towards brokers: the chain and the host name are verified unless the configuration says out loud that they are not.
 * One secure context serves all connections of an upstream; parsing certificates for each would cost more than the rest.
 */
import { isIP } from 'node:net'
import { type ConnectionOptions, checkServerIdentity, createSecureContext, type SecureContext } from 'node:tls'
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
  readonly #context: SecureContext
  readonly #serverName: string | undefined
  readonly #verify: boolean

  constructor(source: ClientTlsSource, now: Date) {
    if (source.crl.length > 0 && source.ca === undefined)
      throw new TlsError('crl needs ca: the CA whose lists they are')
    this.identity = source.identity && loadIdentity(source.identity, { purpose: 'client', now })
    this.trust = source.ca && loadTrust(source.ca, { crl: source.crl, now, side: 'client' })
    this.#context = createSecureContext({
      ...profile(source.minVersion),
      ...this.identity?.contextOptions(),
      ...(this.trust && trustOptions(this.trust)),
    })
    this.#serverName = source.serverName
    this.#verify = !source.dangerouslySkipVerification
  }

  /** To be spread beside where to connect: `{ host, port }`, or a `socket` that is connected already. */
  connectOptions(host: string): ConnectionOptions {
    const name = (this.#serverName ?? host).toLowerCase()
    return {
      secureContext: this.#context,
      // RFC 6066 allows no address here; a server without the extension shows its default certificate.
      ...(isIP(name) === 0 && { servername: name }),
      rejectUnauthorized: this.#verify,
      checkServerIdentity: (_, certificate) => (this.#verify ? checkServerIdentity(name, certificate) : undefined),
    }
  }
}
