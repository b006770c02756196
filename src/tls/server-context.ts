/** TLS towards clients: what `tls.createServer` and `setSecureContext` are given. */
import { createHash } from 'node:crypto'
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import { TlsError } from '../errors.ts'
import type { FileContent } from './tls-files.ts'
import { type IdentitySource, loadIdentity, type TlsIdentity } from './tls-identity.ts'
import { profile, type TlsVersion } from './tls-profile.ts'
import { loadTrust, type Trust, type TrustSource, trustOptions } from './trust.ts'

export type ClientAuth = 'none' | 'request' | 'require'

export interface ServerTlsSource {
  readonly identity: IdentitySource
  readonly clientCa?: TrustSource
  readonly clientAuth: ClientAuth
  readonly minVersion: TlsVersion
  readonly crl: readonly FileContent[]
}

export interface ServerTls {
  readonly identity: TlsIdentity
  readonly clientAuth: ClientAuth
  /** Whom clients must be vouched for by; absent where none is asked. */
  readonly trust: Trust | undefined
  /** The replaceable part, for `server.setSecureContext`; created once to prove it, held as options as Node wants them. */
  readonly contextOptions: SecureContextOptions
  /** All of it, for `tls.createServer`. */
  readonly serverOptions: TlsOptions
}

/** Whom clients must be vouched for by; undefined where none is asked. */
export function clientTrust(
  { clientAuth, clientCa, crl }: Pick<ServerTlsSource, 'clientAuth' | 'clientCa' | 'crl'>,
  now: Date,
): Trust | undefined {
  if (clientAuth === 'none') return undefined
  // Without `ca` Node would accept a certificate from any public CA as a client's.
  if (clientCa === undefined) throw new TlsError(`clientAuth: ${clientAuth} needs clientCa, the CA of the clients`)
  return loadTrust(clientCa, { crl, now, side: 'server' })
}

/**
 * A session resumes without its certificate being judged again, so it must not cross over to a listener that judges
 * differently, nor survive a change of whom we trust. Node's own value is the same for every server of a process.
 */
function sessionIdContext(scope: string, clientAuth: ClientAuth, trust: Trust | undefined): string {
  const { certificates = [], revocations = [] } = trust ?? {}
  const judged = [...certificates.map(({ raw }) => raw), ...revocations.map(({ pem }) => pem)]
  const digest = createHash('sha256').update(`${scope}\0${clientAuth}\0`)
  for (const part of judged) digest.update(part)
  return digest.digest('hex').slice(0, 32)
}

export interface ServerTlsOptions {
  /** Names the listener among others. */
  readonly scope: string
  readonly handshakeTimeoutMs: number
  /** 48 bytes that session tickets are sealed with. Without them Node makes its own at each change of the context. */
  readonly ticketKeys?: Buffer
}

export function loadServerTls(source: ServerTlsSource, options: ServerTlsOptions & { readonly now: Date }): ServerTls {
  const { now } = options
  const identity = loadIdentity(source.identity, { purpose: 'server', now })
  return createServerTls({ ...source, identity, trust: clientTrust(source, now) }, options)
}

export type ServerTlsParts = Pick<ServerTlsSource, 'clientAuth' | 'minVersion'> & Pick<ServerTls, 'identity' | 'trust'>

/** Of parts that were loaded, each in its time. */
export function createServerTls(
  { clientAuth, minVersion, identity, trust }: ServerTlsParts,
  { scope, handshakeTimeoutMs, ticketKeys }: ServerTlsOptions,
): ServerTls {
  const contextOptions: SecureContextOptions = {
    ...profile(minVersion),
    ...identity.contextOptions(),
    ...(trust && trustOptions(trust)),
    sessionIdContext: sessionIdContext(scope, clientAuth, trust),
    ...(ticketKeys && { ticketKeys }),
  }
  createSecureContext(contextOptions)
  const serverOptions: TlsOptions = {
    ...contextOptions,
    handshakeTimeout: handshakeTimeoutMs,
    requestCert: clientAuth !== 'none',
    // `request` lets clients without a certificate in, which Node cannot tell from those with a bad one at this point:
    // `verifiedName` refuses the latter.
    rejectUnauthorized: clientAuth === 'require',
  }
  return { identity, clientAuth, trust, contextOptions, serverOptions }
}
