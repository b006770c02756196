/**
 * A small private CA: a root, issuing CAs below it, and certificates for servers and clients, in the profiles that Java,
 * OpenSSL and Node all accept. For the demo, the tests and `vkitm certs`; where files go is somebody else's business.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto'
import { TlsError } from '../errors.ts'
import { subjectOf } from './distinguished-name.ts'
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

function pairOf(key: string): { publicKey: KeyObject; privateKey: KeyObject } {
  return { publicKey: createPublicKey(key), privateKey: createPrivateKey(key) }
}

interface Order extends Validity {
  /** PEM; absent: a new one is made. */
  readonly key?: string
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
  const { publicKey, privateKey } = order.key === undefined ? keyPair(order.keyType ?? 'P-256') : pairOf(order.key)
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

export interface RenewalRequest extends Validity {
  /** PEM. */
  readonly certificate: string
  /** PEM of the key to keep; absent: a new one of the same type is made. */
  readonly key?: string
}

/** The same subject, names, use and length of life, from now on. */
export function renew(authority: Issued, { certificate: pem, key, ...request }: RenewalRequest): Issued {
  const old = new X509Certificate(pem)
  if (old.ca) throw new TlsError(`${old.subject}: a CA is not renewed: everybody who trusts it would have to be told`)
  const isClient: boolean = (old.keyUsage as readonly string[] | undefined)?.includes(CLIENT_USE) ?? false
  return issue(
    {
      days: daysOf(old),
      keyType: keyTypeOf(old.publicKey),
      ...request,
      ...(key !== undefined && { key }),
      subject: subjectOf(old.raw),
      names: namesOf(old),
      use: { kind: isClient ? 'client' : 'server' },
    },
    authority,
  )
}

const CLIENT_USE = '1.3.6.1.5.5.7.3.2'
const PREFIXES: Readonly<Record<string, string>> = { DNS: '', 'IP Address': '', email: 'email:', URI: 'uri:' }

const daysOf = ({ validFrom, validTo }: X509Certificate): number =>
  (Date.parse(validTo) - Date.parse(validFrom) - CLOCK_SKEW_MS) / DAY_MS

function keyTypeOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): KeyType {
  if (asymmetricKeyType === 'ec') return 'P-256'
  const bits = asymmetricKeyDetails?.modulusLength ?? 0
  return bits <= 2048 ? 'RSA-2048' : bits <= 3072 ? 'RSA-3072' : 'RSA-4096'
}

/** As `issueServer` takes them. Node's list is safe to split where every name is as plain as those we issue. */
export function namesOf({ subjectAltName }: X509Certificate): string[] {
  if (subjectAltName === undefined) return []
  return subjectAltName.split(', ').map(entry => {
    const [, kind = '', name = ''] = /^([^:]+):(.*)$/.exec(entry) ?? []
    const prefix = PREFIXES[kind]
    if (prefix === undefined || name.startsWith('"'))
      throw new TlsError(`the alternative name ${entry} is not one of ours`)
    return prefix + name
  })
}
