import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import type { Secret } from '../telemetry/secret.ts'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

export interface PostRefusal {
  readonly status: 401 | 403
  readonly body: { readonly error: string }
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Undefined where the request comes from somebody who may change things: the holder of the token or, without a token,
 * a user of this machine. A web page open in that user's browser is not that user: browsers send Origin with POST.
 */
export function mayPost(
  request: IncomingMessage,
  bindHost: string,
  token: Secret | undefined,
): PostRefusal | undefined {
  if (request.headers.origin !== undefined || 'sec-fetch-site' in request.headers) return forbidden('not for browsers')
  if (token !== undefined) return holdsToken(request, token) ? undefined : unauthorised()
  if (isLoopback(bindHost)) return undefined
  return forbidden('set admin.token, or bind admin to a loopback address')
}

function holdsToken(request: IncomingMessage, token: Secret): boolean {
  const [, given = ''] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? []
  return timingSafeEqual(sha256(given), sha256(token.reveal()))
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  const family = isIP(host)
  return family !== 0 && LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4')
}

const forbidden = (error: string): PostRefusal => ({ status: 403, body: { error } })
const unauthorised = (): PostRefusal => ({
  status: 401,
  body: { error: 'a bearer token is required' },
  headers: { 'www-authenticate': 'Bearer' },
})
