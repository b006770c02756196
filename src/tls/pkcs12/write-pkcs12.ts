/**
 * PKCS#12 for Java clients: a key store (one key with its chain) or a trust store, as keytool 17 would write them.
 * Java names entries by alias, pairs key and certificate by localKeyId and trusts only what carries Oracle's attribute.
 */
import { createPrivateKey, hash, randomBytes, X509Certificate } from 'node:crypto'
import {
  type Asn1,
  bmpString,
  encode,
  explicit,
  implicit,
  integer,
  objectId,
  octetString,
  sequence,
  setOf,
} from '../pki.ts'
import { encrypt, makeMac, type Sealing } from './protection.ts'

const DATA = '1.2.840.113549.1.7.1'
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6'
const SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2'
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3'
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1'
const FRIENDLY_NAME = '1.2.840.113549.1.9.20'
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21'
const TRUSTED_KEY_USAGE = '2.16.840.1.113894.746875.1.1'
const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0'

/** keytool's own count. */
const ITERATIONS = 10_000

export interface KeyStore {
  readonly alias: string
  /** PEM of the key, unencrypted. */
  readonly key: string
  /** PEM certificates, the key's own first. */
  readonly chain: readonly string[]
}

export interface TrustedCertificate {
  readonly alias: string
  readonly certificate: string
}

const attribute = (oid: string, value: Asn1): Asn1 => sequence(objectId(oid), setOf(value))
const named = (alias: string): Asn1 => attribute(FRIENDLY_NAME, bmpString(alias))

function certificateBag(pem: string, attributes: Asn1[]): Asn1 {
  const der = new X509Certificate(pem).raw
  const certificate = sequence(objectId(X509_CERTIFICATE), explicit(0, octetString(der)))
  const bag = [objectId(CERTIFICATE_BAG), explicit(0, certificate)]
  return sequence(...bag, ...(attributes.length === 0 ? [] : [setOf(...attributes)]))
}

function keyBag(pem: string, attributes: Asn1[], sealing: Sealing): Asn1 {
  const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' })
  const { algorithm, sealed } = encrypt(der, sealing)
  const key = sequence(algorithm, octetString(sealed))
  return sequence(objectId(SHROUDED_KEY_BAG), explicit(0, key), setOf(...attributes))
}

const plainPart = (safe: Asn1): Asn1 => sequence(objectId(DATA), explicit(0, octetString(encode(safe))))

function encryptedPart(safe: Asn1, sealing: Sealing): Asn1 {
  const { algorithm, sealed } = encrypt(encode(safe), sealing)
  const content = sequence(objectId(DATA), algorithm, implicit(0, sealed))
  return sequence(objectId(ENCRYPTED_DATA), explicit(0, sequence(integer(0), content)))
}

function pfx(authenticatedSafe: Asn1, sealing: Sealing): Buffer {
  const content = encode(authenticatedSafe)
  const authSafe = sequence(objectId(DATA), explicit(0, octetString(content)))
  return encode(sequence(integer(3), authSafe, makeMac(content, sealing)))
}

const sealingWith = (password: string): Sealing => ({ password, iterations: ITERATIONS, random: randomBytes })

export function writeKeyStore({ alias, key, chain }: KeyStore, password: string): Buffer {
  const sealing = sealingWith(password)
  const leaf = new X509Certificate(chain[0] ?? '')
  const localKeyId = attribute(LOCAL_KEY_ID, octetString(hash('sha1', leaf.raw, 'buffer')))
  const own = [named(alias), localKeyId]
  const certificates = chain.map((pem, at) => certificateBag(pem, at === 0 ? own : []))
  const parts = [encryptedPart(sequence(...certificates), sealing), plainPart(sequence(keyBag(key, own, sealing)))]
  return pfx(sequence(...parts), sealing)
}

export function writeTrustStore(trusted: readonly TrustedCertificate[], password: string): Buffer {
  const sealing = sealingWith(password)
  const trust = attribute(TRUSTED_KEY_USAGE, objectId(ANY_EXTENDED_KEY_USAGE))
  const bags = trusted.map(({ alias, certificate }) => certificateBag(certificate, [named(alias), trust]))
  return pfx(sequence(encryptedPart(sequence(...bags), sealing)), sealing)
}
