/**
 * A certificate chain with its private key, checked as a set before anything serves with it: the key belongs to the
 * certificate, the chain is in order, the dates and the purpose fit. Every refusal names the file and the way out.
 */
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { TlsError } from '../errors.ts'
import { isPrivateKeyLabel } from './pem.ts'
import { type PrivateKeyEntry, readPkcs12 } from './pkcs12/read-pkcs12.ts'
import { type FileContent, named, type Password, pemBlocks, pemCertificates } from './tls-files.ts'
import { CIPHERS } from './tls-profile.ts'

export type IdentitySource =
  | {
      readonly kind: 'pem'
      readonly certificate: FileContent
      readonly key: FileContent
      readonly keyPassword?: Password
    }
  | { readonly kind: 'pkcs12'; readonly store: FileContent; readonly password: Password }

export type Purpose = 'server' | 'client'

const PURPOSE_OIDS = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const
const ANY_PURPOSE = '2.5.29.37.0'

export class TlsIdentity {
  /** The own certificate first, then those that vouch for it, in order. */
  readonly chain: readonly X509Certificate[]
  readonly #key: KeyObject

  constructor(chain: readonly X509Certificate[], key: KeyObject) {
    this.chain = chain
    this.#key = key
  }

  get certificate(): X509Certificate {
    return this.chain[0]!
  }

  /** For `tls.createSecureContext`; a method, so that printing an identity shows no key. */
  contextOptions(): { cert: string; key: string } {
    return {
      cert: this.chain.map(certificate => certificate.toString()).join(''),
      key: this.#key.export({ format: 'pem', type: 'pkcs8' }) as string,
    }
  }
}

const wrongPassword = 'keyPassword does not open it'

const keyErrors: Readonly<Record<string, string>> = {
  ERR_MISSING_PASSPHRASE: 'it is encrypted: give its password as keyPassword',
  ERR_OSSL_BAD_DECRYPT: wrongPassword,
  ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED: 'it is encrypted: give its password as keyPassword',
}

/** PKCS#8 says so in its label, the traditional forms in a header (RFC 1421). */
const isEncrypted = (text: string): boolean => /BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(text)

function pemKey(file: FileContent, password: Password | undefined): KeyObject {
  const [key, ...more] = pemBlocks(file).filter(block => isPrivateKeyLabel(block.label))
  if (key === undefined) throw new TlsError(`${file.path}: no private key in it`)
  if (more.length > 0) throw new TlsError(`${file.path}: holds ${more.length + 1} private keys: keep one`)
  try {
    return createPrivateKey({ key: key.text, ...(password && { passphrase: password.reveal() }) })
  } catch (cause) {
    // One wrong password in 256 leaves what looks padded, and fails as no key at all.
    const other = password && isEncrypted(key.text) ? wrongPassword : 'the private key cannot be read'
    const reason = keyErrors[(cause as NodeJS.ErrnoException).code ?? ''] ?? other
    throw new TlsError(`${file.path}: ${reason}`, { cause })
  }
}

function issuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function onlyKey(path: string, keys: readonly PrivateKeyEntry[]): PrivateKeyEntry {
  const [key, ...more] = keys
  if (key === undefined) throw new TlsError(`${path}: no private key in it: a trust store, perhaps?`)
  if (more.length > 0) {
    const aliases = keys.map(entry => entry.alias ?? '(no alias)').join(', ')
    throw new TlsError(
      `${path}: holds ${keys.length} private keys (${aliases}): make a file with the one to use by ` +
        'keytool -importkeystore … -srcalias ALIAS',
    )
  }
  return key
}

/** PKCS#12 keeps no order: from the key's own certificate upwards as far as the file knows. */
function chainFrom(leaf: X509Certificate, pool: readonly X509Certificate[]): X509Certificate[] {
  const chain = [leaf]
  for (let last = leaf; !issuedBy(last, last); ) {
    const issuer = pool.find(candidate => !chain.includes(candidate) && issuedBy(last, candidate))
    if (issuer === undefined) break
    chain.push(issuer)
    last = issuer
  }
  return chain
}

function fromPkcs12({ path, content }: FileContent, password: string): TlsIdentity {
  const { certificates, keys } = readPkcs12({ path, content, password })
  const { key } = onlyKey(path, keys)
  const pool = certificates.map(entry => entry.certificate)
  const leaf = pool.find(certificate => certificate.checkPrivateKey(key))
  if (leaf === undefined) throw new TlsError(`${path}: no certificate in it belongs to its private key`)
  return new TlsIdentity(chainFrom(leaf, pool), key)
}

function fromPem(certificateFile: FileContent, key: KeyObject, keyFile: FileContent): TlsIdentity {
  const chain = pemCertificates(certificateFile)
  if (!chain[0]!.checkPrivateKey(key)) {
    const at = chain.findIndex(certificate => certificate.checkPrivateKey(key))
    throw new TlsError(
      at < 0
        ? `${keyFile.path}: not the private key of the first certificate in ${certificateFile.path}`
        : `${certificateFile.path}: certificate ${at + 1} is the key's own: it must come first, then its issuers in order`,
    )
  }
  chain.slice(1).forEach((issuer, at) => {
    if (issuedBy(chain[at]!, issuer)) return
    throw new TlsError(
      `${certificateFile.path}: certificate ${at + 2} (${named(issuer)}) did not issue the one before it ` +
        `(${named(chain[at]!)}): put them in order, each followed by its issuer`,
    )
  })
  return new TlsIdentity(chain, key)
}

function checkDates(path: string, { chain }: TlsIdentity, now: Date): void {
  for (const certificate of chain) {
    const subject = named(certificate)
    if (now < new Date(certificate.validFrom)) {
      throw new TlsError(`${path}: ${subject} is not valid before ${certificate.validFrom}: check the clock or wait`)
    }
    if (now > new Date(certificate.validTo)) {
      throw new TlsError(`${path}: ${subject} expired on ${certificate.validTo}: renew it`)
    }
  }
}

function checkPurpose(path: string, { certificate }: TlsIdentity, purpose: Purpose): void {
  // Node calls the extended key usages `keyUsage`, and has undefined where the certificate limits nothing.
  const usages: readonly string[] | undefined = certificate.keyUsage
  if (usages === undefined || usages.includes(PURPOSE_OIDS[purpose]) || usages.includes(ANY_PURPOSE)) return
  throw new TlsError(`${path}: not issued for use as a ${purpose} (extended key usage ${usages.join(', ')})`)
}

/** OpenSSL has the last word: keys too short, digests too weak. */
function checkAccepted(path: string, identity: TlsIdentity): void {
  try {
    createSecureContext({ ...identity.contextOptions(), ciphers: CIPHERS })
  } catch (cause) {
    throw new TlsError(`${path}: OpenSSL refuses it (${cause instanceof Error ? cause.message : String(cause)})`, {
      cause,
    })
  }
}

export function loadIdentity(source: IdentitySource, { purpose, now }: { purpose: Purpose; now: Date }): TlsIdentity {
  const file = source.kind === 'pem' ? source.certificate : source.store
  const identity =
    source.kind === 'pem'
      ? fromPem(source.certificate, pemKey(source.key, source.keyPassword), source.key)
      : fromPkcs12(source.store, source.password.reveal())
  checkDates(file.path, identity, now)
  checkPurpose(file.path, identity, purpose)
  checkAccepted(file.path, identity)
  return identity
}
