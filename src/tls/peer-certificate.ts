/**
 * Whom the client's certificate names, once the handshake is over; nobody is named by a certificate that failed. Node
 * judges a certificate at the full handshake alone, so that everything is asked again here, for resumed sessions too.
 */
import type { X509Certificate } from 'node:crypto'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { TlsError } from '../errors.ts'
import { type AlternativeNameKind, alternativeNames } from './alternative-names.ts'
import { subjectOf } from './distinguished-name.ts'
import { verdictOf } from './handshake-failure.ts'
import { type CertificateNumber, certificateNumber, isRevoked, type RevocationList } from './revocation-list.ts'
import type { ClientAuth } from './server-context.ts'

export type NameSource = 'subject' | `san:${AlternativeNameKind}`

export interface Judgement {
  readonly clientAuth: ClientAuth
  readonly from?: NameSource
  /** The lists in force now, not those of the handshake. */
  readonly revocations?: readonly RevocationList[]
  readonly now: Date
}

/** A chain is as long as OpenSSL takes it, and a root that vouches for itself does not end. */
const CHAIN_MAX = 10

/**
 * The name that the client's certificate proves, the subject as Java prints it or the alternative name that was asked
 * for; undefined where it showed no certificate and need not.
 * Throws where the connection must be closed. Call it on `secureConnection`, for resumed sessions too.
 */
export function verifiedName(socket: TLSSocket, judgement: Judgement): string | undefined {
  const { clientAuth, from = 'subject', revocations = [], now } = judgement
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
    throw new TlsError(verdictOf(reason), { details: { reason } })
  }
  checkDates(certificate, now)
  checkLists(revocations, now)
  if (revocations.length > 0 && peerNumbers(socket).some(number => isRevoked(revocations, number))) {
    throw new TlsError('the client certificate is revoked')
  }
  return nameOf(certificate, from)
}

/**
 * What revocation lists would call the client's certificate and those that vouch for it, as far as the client showed
 * them or we trust them. A session that resumes shows its own alone.
 */
export function peerNumbers(socket: TLSSocket): CertificateNumber[] {
  const numbers: CertificateNumber[] = []
  // Empty where there is none; a root is its own issuer.
  let next: Partial<DetailedPeerCertificate> | undefined = socket.destroyed ? {} : socket.getPeerCertificate(true)
  for (let raw: Buffer | undefined; next?.raw !== undefined && next.raw !== raw && numbers.length < CHAIN_MAX; ) {
    raw = next.raw
    numbers.push(certificateNumber(raw))
    next = next.issuerCertificate
  }
  return numbers
}

function checkDates({ validFrom, validTo }: X509Certificate, now: Date): void {
  if (now >= new Date(validFrom) && now <= new Date(validTo)) return
  throw new TlsError('the client certificate is not valid at this time', { details: { validFrom, validTo } })
}

/** A list that is over proves nothing: OpenSSL refuses full handshakes then, and resumed ones are no better. */
function checkLists(revocations: readonly RevocationList[], now: Date): void {
  for (const { nextUpdate } of revocations) {
    if (nextUpdate !== undefined && now > nextUpdate)
      throw new TlsError('a revocation list is over: no client is let in')
  }
}

function nameOf({ raw }: X509Certificate, from: NameSource): string {
  if (from === 'subject') {
    const subject = subjectOf(raw)
    if (subject === '') throw new TlsError('the client certificate has an empty subject, which names nobody')
    return subject
  }
  const kind = from.slice('san:'.length) as AlternativeNameKind
  const [name, ...more] = alternativeNames(raw, kind)
  if (name === undefined) throw new TlsError(`the client certificate has no alternative name of kind ${kind}`)
  // The first one would be a guess, and whoever issues certificates may not know that their order decides.
  if (more.length > 0) {
    throw new TlsError(`the client certificate has ${more.length + 1} alternative names of kind ${kind}: it needs one`)
  }
  return name
}
