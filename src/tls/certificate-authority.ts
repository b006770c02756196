/**
 * A small private CA: a root, issuing CAs below it, and certificates for servers and clients, in the profiles that Java,
 * OpenSSL and Node all accept. For the demo, the tests and `vkitm certs`; where files go is somebody else's business.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { TlsError } from '../errors.ts'
import { type CertificateUse, issueCertificate } from './issue-certificate.ts'

/** P-256 by default: an RSA-2048 handshake costs several times more. */
export type KeyType = 'P-256' | 'RSA-2048' | 'RSA-3072' | 'RSA-4096'

export interface Issued {
  /** PEM. */
  readonly certificate: string
  /** PEM, PKCS#8, not encrypted. */
  readonly key: string
  /** PEM certificates to serve: the own one first; a root stays out unless it is the own one. */
  readonly chain: readonly string[]
}

interface Validity {
  readonly now: Date
  readonly days?: number
  readonly keyType?: KeyType
}

export interface AuthorityRequest extends Validity {
  readonly subject: string
}

export interface ServerRequest extends Validity {
  /** DNS names and IP addresses; the first names the subject unless `subject` does. */
  readonly names: readonly string[]
  readonly subject?: string
}

export interface ClientRequest extends Validity {
  readonly subject: string
  readonly names?: readonly string[]
}

const DAY_MS = 86_400_000
/** The clocks of those who will check may be a little behind. */
const CLOCK_SKEW_MS = 300_000
const COMMON_NAME_LENGTH_MAX = 64

function keyPair(keyType: KeyType): { publicKey: KeyObject; privateKey: KeyObject } {
  if (keyType === 'P-256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return generateKeyPairSync('rsa', { modulusLength: Number(keyType.slice('RSA-'.length)) })
}

interface Order extends Validity {
  readonly subject: string
  readonly use: CertificateUse
  readonly names: readonly string[]
  readonly days: number
}

function notAfter({ now, days }: Order, issuer: X509Certificate | undefined): Date {
  const wanted = now.getTime() + days * DAY_MS
  // A certificate that outlives its issuer fails on a day nobody has in the calendar.
  return new Date(issuer ? Math.min(wanted, Date.parse(issuer.validTo)) : wanted)
}

function issue(order: Order, authority: Issued | undefined): Issued {
  const { publicKey, privateKey } = keyPair(order.keyType ?? 'P-256')
  const issuer = authority && new X509Certificate(authority.certificate)
  if (issuer && !issuer.ca) throw new TlsError(`${issuer.subject}: not a CA, it cannot issue certificates`)
  const certificate = issueCertificate({
    subject: order.subject,
    publicKey,
    use: order.use,
    alternativeNames: order.names,
    notBefore: new Date(order.now.getTime() - CLOCK_SKEW_MS),
    notAfter: notAfter(order, issuer),
    serial: randomBytes(16),
    ...(issuer && { issuer }),
    signingKey: authority ? createPrivateKey(authority.key) : privateKey,
  }).toString()
  const isRoot = issuer?.checkIssued(issuer) ?? true
  return {
    certificate,
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    chain: [certificate, ...(isRoot ? [] : authority!.chain)],
  }
}

export function createRoot({ days = 3650, ...request }: AuthorityRequest): Issued {
  return issue({ ...request, days, names: [], use: { kind: 'ca', pathLength: 1 } }, undefined)
}

export function createIssuing(root: Issued, { days = 1825, ...request }: AuthorityRequest): Issued {
  return issue({ ...request, days, names: [], use: { kind: 'ca', pathLength: 0 } }, root)
}

/** RFC 6125 matches the alternative names alone, so a server must have one; the subject is for people. */
export function issueServer(authority: Issued, { days = 397, ...request }: ServerRequest): Issued {
  const [first] = request.names
  if (first === undefined) throw new TlsError('a server certificate needs a DNS name or an IP address')
  const subject = request.subject ?? `CN=${first.slice(0, COMMON_NAME_LENGTH_MAX)}`
  return issue({ ...request, subject, days, use: { kind: 'server' } }, authority)
}

export function issueClient(authority: Issued, { days = 397, names = [], ...request }: ClientRequest): Issued {
  return issue({ ...request, days, names, use: { kind: 'client' } }, authority)
}
