/** Whom a side trusts: CA certificates out of PEM or PKCS#12 (Java trust stores), and the lists of what they revoked. */
import type { X509Certificate } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import { TlsError } from '../errors.ts'
import { subjectName } from './distinguished-name.ts'
import { readPkcs12 } from './pkcs12/read-pkcs12.ts'
import { checkList, type RevocationList, readRevocationLists } from './revocation-list.ts'
import { type FileContent, named, type Password, pemCertificates } from './tls-files.ts'

export type TrustSource =
  | ({ readonly kind: 'pem' } & FileContent)
  | ({ readonly kind: 'pkcs12'; readonly password: Password } & FileContent)

export interface Trust {
  readonly certificates: readonly X509Certificate[]
  readonly revocations: readonly RevocationList[]
  /** A chain may end at any trusted certificate, be it an issuing CA or a broker's own, as in Java. */
  readonly isPartialEnough: boolean
}

/**
 * Java trusts only entries that carry its attribute. A key store's chain is therefore no trust store; a file without
 * keys and without the attribute was made by openssl, where everything in it is meant.
 */
function pkcs12Certificates(source: FileContent & { readonly password: Password }): X509Certificate[] {
  const { path, content, password } = source
  const { certificates, keys } = readPkcs12({ path, content, password: password.reveal() })
  const marked = certificates.filter(entry => entry.trusted)
  const chosen = marked.length > 0 || keys.length > 0 ? marked : certificates
  if (chosen.length > 0) return chosen.map(entry => entry.certificate)
  throw new TlsError(
    keys.length > 0
      ? `${path}: a key store without trusted certificates: add the CA by keytool -importcert -alias ca -file ca.pem`
      : `${path}: no certificate in it`,
  )
}

/** With lists in force OpenSSL wants one of every CA of a chain, and refuses every peer below a CA without. */
function checkComplete(
  path: string,
  certificates: readonly X509Certificate[],
  revocations: readonly RevocationList[],
): void {
  const issuers = new Set(revocations.map(({ issuer }) => issuer))
  for (const certificate of certificates) {
    if (!certificate.ca || issuers.has(nameOf(certificate))) continue
    throw new TlsError(`${path}: crl has no list of ${named(certificate)}: every peer below it would be refused`)
  }
}

const nameOf = ({ raw }: X509Certificate): string => subjectName(raw).toString('hex')

function readLists(file: FileContent, certificates: readonly X509Certificate[], now: Date): RevocationList[] {
  const lists = readRevocationLists(file)
  for (const list of lists) {
    const cas = certificates.filter(certificate => nameOf(certificate) === list.issuer)
    checkList(file.path, list, cas, now)
  }
  return lists
}

/** Where a chain must end at a root, a CA that does not reach one vouches for nobody. */
function checkRooted(path: string, certificates: readonly X509Certificate[]): void {
  for (const certificate of certificates) {
    const isRoot = certificate.issuer === certificate.subject
    if (isRoot || certificates.some(issuer => certificate.checkIssued(issuer))) continue
    throw new TlsError(
      `${path}: ${named(certificate)} is no root and its issuer is not in the file: every peer below it would be refused. Add the CA that issued it`,
    )
  }
}

export interface TrustOptions {
  readonly crl: readonly FileContent[]
  readonly now: Date
  /** Only clients can: `tls.createServer` drops the option that allows it. */
  readonly side: 'server' | 'client'
}

export function loadTrust(source: TrustSource, { crl, now, side }: TrustOptions): Trust {
  const certificates = source.kind === 'pem' ? pemCertificates(source) : pkcs12Certificates(source)
  if (certificates.every(certificate => now > new Date(certificate.validTo))) {
    throw new TlsError(`${source.path}: every CA certificate in it has expired`)
  }
  const revocations = crl.flatMap(file => readLists(file, certificates, now))
  // A chain that stops at an issuing CA never asks its root whether that CA is revoked.
  const isPartialEnough = side === 'client' && revocations.length === 0
  if (revocations.length > 0) checkComplete(source.path, certificates, revocations)
  if (!isPartialEnough) checkRooted(source.path, certificates)
  return { certificates, revocations, isPartialEnough }
}

export function trustOptions({ certificates, revocations, isPartialEnough }: Trust): SecureContextOptions {
  return {
    ca: certificates.map(certificate => certificate.toString()),
    // One list per entry: Node reads only the first of each.
    ...(revocations.length > 0 && { crl: revocations.map(({ pem }) => pem) }),
    ...(isPartialEnough && { allowPartialTrustChain: true }),
  }
}
