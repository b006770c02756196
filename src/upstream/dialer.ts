/** Opens TCP or TLS connections to brokers: resolves, judges every address, connects, verifies, all within a deadline. */
import type { LookupAddress } from 'node:dns'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { UpstreamError } from '../errors.ts'
import type { AddressRules } from './address-rules.ts'

export interface HostAndPort {
  readonly host: string
  readonly port: number
}

export interface DialerOptions {
  readonly rules: AddressRules
  /** All addresses of a name, in the order in which they should be tried. */
  readonly resolve: (host: string) => Promise<readonly LookupAddress[]>
  /** For one address of a host, its connection included. */
  readonly connectTimeoutMs: number
  /**
   * How to end up on TLS with `host`, verified; absent: plaintext. Asked anew for every dial, so that it can rotate.
   * `principal` is whom the connection is for; absent: the gateway itself.
   */
  readonly tlsOptions?: ((host: string, principal?: string) => ConnectionOptions) | undefined
}

export type Dial = (target: HostAndPort, principal?: string) => Promise<Socket>

/** TCP keep-alive finds peers that vanished without a word, for there is no deadline on a broker's answer. */
const keepAliveMs = 30_000

export function createDialer(options: DialerOptions): Dial {
  return async (target, principal) => {
    const addresses = await resolveAllowed(target, options)
    const tls = options.tlsOptions?.(target.host, principal)
    let failure: unknown
    for (const address of addresses) {
      try {
        return await dialAddress(target, address, { ...options, tls })
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }
}

async function resolveAllowed({ host }: HostAndPort, options: DialerOptions): Promise<readonly string[]> {
  let addresses: readonly string[]
  try {
    addresses = isIP(host) !== 0 ? [host] : await resolveInTime(host, options)
  } catch (cause) {
    throw new UpstreamError('VKITM_UPSTREAM_UNRESOLVED', `the broker's host name ${host} does not resolve`, {
      cause,
      retriable: true,
      details: { host },
    })
  }
  const allowed = addresses.filter(address => options.rules.allows(host, address))
  if (allowed.length === 0) {
    throw new UpstreamError(
      'VKITM_UPSTREAM_NOT_ALLOWED',
      `the broker's address ${host} is not one this gateway may dial: list it under upstream.allow if it should be`,
      { retriable: false, details: { host, addresses } },
    )
  }
  return allowed
}

/** A resolver that hears nothing from its servers would take minutes to say so. */
async function resolveInTime(host: string, { resolve, connectTimeoutMs }: DialerOptions): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${connectTimeoutMs} ms`)), connectTimeoutMs)
  })
  try {
    return (await Promise.race([resolve(host), late])).map(({ address }) => address)
  } finally {
    clearTimeout(timer)
  }
}

interface AddressOptions {
  readonly connectTimeoutMs: number
  readonly tls: ConnectionOptions | undefined
}

function dialAddress(target: HostAndPort, address: string, options: AddressOptions): Promise<Socket> {
  const { connectTimeoutMs, tls } = options
  const tcp = connectTcp({
    host: address,
    port: target.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMs,
  })
  const socket = tls === undefined ? tcp : connectTls({ ...tls, socket: tcp })
  const where = { host: target.host, port: target.port, address }
  return new Promise((resolve, reject) => {
    const fail = (error: UpstreamError): void => {
      clearTimeout(timer)
      socket.on('error', ignoreLateError)
      socket.destroy()
      tcp.destroy()
      reject(error)
    }
    const timer = setTimeout(
      () =>
        fail(
          unreachable(`no connection to the broker ${target.host}:${target.port} within ${connectTimeoutMs} ms`, where),
        ),
      connectTimeoutMs,
    )
    const failed = (cause: Error): void => fail(explain(cause, target, where))
    tcp.once('error', failed)
    socket.once('error', failed)
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer)
      tcp.off('error', failed)
      socket.off('error', failed)
      // What TLS wraps reports its end through the wrapper too.
      if (tcp !== socket) tcp.on('error', ignoreLateError)
      resolve(socket)
    })
  })
}

/** The failure was reported once; a socket that is being torn down may say it again. */
const ignoreLateError = (): void => undefined

function explain(cause: Error, { host, port }: HostAndPort, details: Record<string, unknown>): UpstreamError {
  const { code = '' } = cause as NodeJS.ErrnoException
  if (isVerificationFailure(code)) {
    return new UpstreamError(
      'VKITM_UPSTREAM_UNTRUSTED',
      `the broker ${host}:${port} shows a certificate that is not trusted: ${cause.message}`,
      {
        cause,
        retriable: false,
        details,
      },
    )
  }
  return unreachable(`the broker ${host}:${port} cannot be reached: ${cause.message}`, details, cause)
}

/** What the peer has against our certificate comes as an alert, and is another matter. */
function isVerificationFailure(code: string): boolean {
  return !code.includes('ALERT') && /CERT|ALTNAME|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|CRL|HOSTNAME/.test(code)
}

function unreachable(message: string, details: Record<string, unknown>, cause?: unknown): UpstreamError {
  return new UpstreamError('VKITM_UPSTREAM_UNREACHABLE', message, { cause, retriable: true, details })
}
