/** Whom the client's certificate names, once the handshake is over; nobody is named by a certificate that failed. */
import type { TLSSocket } from 'node:tls'
import { TlsError } from '../errors.ts'
import { subjectOf } from './distinguished-name.ts'
import type { ClientAuth } from './server-context.ts'

/**
 * The verified subject as Java prints it, or undefined where the client showed no certificate and need not.
 * Throws where the connection must be closed. Call it on `secureConnection`, for resumed sessions too.
 */
export function verifiedSubject(socket: TLSSocket, clientAuth: ClientAuth): string | undefined {
  if (clientAuth === 'none') return undefined
  // A closed socket has forgotten its certificate and would pass for a client without one.
  if (socket.destroyed) throw new TlsError('the connection ended before its certificate was looked at')
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) {
    // Node calls a resumed TLS 1.3 session without certificate authorized.
    if (clientAuth === 'require') throw new TlsError('the client showed no certificate')
    return undefined
  }
  if (!socket.authorized) {
    const reason = String(socket.authorizationError ?? 'unknown')
    throw new TlsError('the client certificate is not trusted', { details: { reason } })
  }
  const subject = subjectOf(certificate.raw)
  if (subject === '') throw new TlsError('the client certificate has an empty subject, which names nobody')
  return subject
}
