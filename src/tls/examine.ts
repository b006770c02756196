/** What people want to know of a certificate file: the chain, its dates and fingerprints, and what is wrong in words. */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { readPem } from './pem.ts'
import { type CertificateNumber, certificateNumber, isRevoked, type RevocationList } from './revocation-list.ts'

export interface Examined {
  readonly subject: string
  readonly issuer: string
  readonly serial: string
  readonly names: string
  readonly use: string
  readonly key: string
  readonly from: Date
  readonly until: Date
  /** SHA-256, as browsers, Java and openssl print it. */
  readonly fingerprint: string
}

export interface Examination {
  /** As the file holds them, the own certificate first. */
  readonly chain: readonly Examined[]
  readonly problems: readonly string[]
}

export interface ExamineOptions {
  readonly now: Date
  readonly key?: KeyObject
  readonly revocations?: readonly RevocationList[]
}

const DAY_MS = 86_400_000
const SOON_DAYS = 30
const USES: Readonly<Record<string, string>> = { '1.3.6.1.5.5.7.3.1': 'server', '1.3.6.1.5.5.7.3.2': 'client' }

export const certificatesIn = (content: Buffer): X509Certificate[] =>
  readPem(content)
    .filter(({ label }) => label.endsWith('CERTIFICATE'))
    .map(({ text }) => new X509Certificate(text))

export function examine(chain: readonly X509Certificate[], options: ExamineOptions): Examination {
  const [leaf] = chain
  if (leaf === undefined) return { chain: [], problems: ['there is no certificate in it'] }
  return {
    chain: chain.map(examined),
    problems: [
      ...chain.flatMap(each => dateProblems(each, options.now)),
      ...chain.flatMap(each => revokedProblems(each, options.revocations ?? [])),
      ...chain.flatMap(strengthProblems),
      ...leafProblems(leaf, options.key),
      ...orderProblems(chain),
    ],
  }
}

function examined(certificate: X509Certificate): Examined {
  const { subject, issuer, serialNumber, subjectAltName = '', fingerprint256, validFrom, validTo } = certificate
  return {
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    serial: serialNumber,
    names: subjectAltName,
    use: useOf(certificate),
    key: keyOf(certificate.publicKey),
    from: new Date(validFrom),
    until: new Date(validTo),
    fingerprint: fingerprint256,
  }
}

const oneLine = (name: string | undefined): string => name?.replaceAll('\n', ', ') ?? ''
const shown = (certificate: X509Certificate): string => oneLine(certificate.subject) || '(no subject)'

function useOf({ ca, keyUsage }: X509Certificate): string {
  if (ca) return 'CA'
  const usages: readonly string[] | undefined = keyUsage
  return usages === undefined ? 'any' : usages.map(usage => USES[usage] ?? usage).join(', ')
}

function keyOf({ asymmetricKeyType, asymmetricKeyDetails: details }: KeyObject): string {
  if (asymmetricKeyType === 'ec') return `EC ${details?.namedCurve}`
  return details?.modulusLength === undefined ? String(asymmetricKeyType) : `RSA ${details.modulusLength}`
}

function dateProblems(certificate: X509Certificate, now: Date): string[] {
  const [from, until] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
  const days = Math.floor((until - now.getTime()) / DAY_MS)
  if (now.getTime() < from) return [`${shown(certificate)} is not valid before ${certificate.validFrom}`]
  if (days < 0) return [`${shown(certificate)} expired on ${certificate.validTo}: renew it`]
  if (days < SOON_DAYS) return [`${shown(certificate)} expires in ${days} days, on ${certificate.validTo}: renew it`]
  return []
}

function revokedProblems(certificate: X509Certificate, lists: readonly RevocationList[]): string[] {
  const number: CertificateNumber = certificateNumber(certificate.raw)
  return isRevoked(lists, number) ? [`${shown(certificate)} is revoked`] : []
}

function strengthProblems(certificate: X509Certificate): string[] {
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey
  const bits = asymmetricKeyDetails?.modulusLength ?? 0
  if (asymmetricKeyType !== 'rsa' || bits >= 2_048) return []
  return [`${shown(certificate)} has an RSA key of ${bits} bits: vkitm takes 2,048 or more`]
}

function leafProblems(leaf: X509Certificate, key: KeyObject | undefined): string[] {
  const isServer = ((leaf.keyUsage as readonly string[] | undefined) ?? []).some(usage => USES[usage] === 'server')
  return [
    ...(key !== undefined && !leaf.checkPrivateKey(key) ? ['the key beside it belongs to another certificate'] : []),
    ...(isServer && leaf.subjectAltName === undefined
      ? [`${shown(leaf)} has no alternative name, and clients look at nothing else: issue it with --san`]
      : []),
  ]
}

function orderProblems(chain: readonly X509Certificate[]): string[] {
  return chain.slice(1).flatMap((issuer, at) => {
    const below = chain[at]!
    if (below.checkIssued(issuer) && below.verify(issuer.publicKey)) return []
    return [`${shown(issuer)} follows ${shown(below)} and did not issue it: put the chain in order`]
  })
}
