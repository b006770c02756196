/** What protects a PKCS#12 file: encryption of its parts and the MAC over the whole (RFC 7292, RFC 8018, RFC 9579). */
import { createCipheriv, createDecipheriv, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { TlsError } from '../../errors.ts'
import {
  type Asn1,
  contentOf,
  integer,
  integerOf,
  nullValue,
  objectId,
  objectIdOf,
  octetString,
  parts,
  sequence,
} from '../pki.ts'
import {
  type Digest,
  HMAC_SHA256,
  HMACS,
  known,
  PBKDF2,
  Purpose,
  pbkdf2Key,
  pkcs12Key,
  sha1,
  sha224,
  sha256,
  sha384,
  sha512,
  stretching,
} from './key-derivation.ts'

/** An open file: its password, and its path for the messages. */
export interface Unlocking {
  readonly path: string
  readonly password: string
}

const PBES2 = '1.2.840.113549.1.5.13'
const PBMAC1 = '1.2.840.113549.1.5.14'
const AES_256_CBC = '2.16.840.1.101.3.4.1.42'
const SHA256 = '2.16.840.1.101.3.4.2.1'

const DIGESTS: ReadonlyMap<string, Digest> = new Map([
  ['1.3.14.3.2.26', sha1],
  ['2.16.840.1.101.3.4.2.4', sha224],
  [SHA256, sha256],
  ['2.16.840.1.101.3.4.2.2', sha384],
  ['2.16.840.1.101.3.4.2.3', sha512],
])

const PBES2_CIPHERS = new Map([
  ['2.16.840.1.101.3.4.1.2', { name: 'aes-128-cbc', keyBytes: 16 }],
  ['2.16.840.1.101.3.4.1.22', { name: 'aes-192-cbc', keyBytes: 24 }],
  [AES_256_CBC, { name: 'aes-256-cbc', keyBytes: 32 }],
  ['1.2.840.113549.3.7', { name: 'des-ede3-cbc', keyBytes: 24 }],
])

const PKCS12_CIPHERS = new Map([
  ['1.2.840.113549.1.12.1.3', { name: 'des-ede3-cbc', keyBytes: 24 }],
  ['1.2.840.113549.1.12.1.4', { name: 'des-ede-cbc', keyBytes: 16 }],
])

/** OpenSSL 3, and so Node, keeps these in a provider that is not loaded. */
const OBSOLETE_CIPHERS = new Map([
  ['1.2.840.113549.1.12.1.1', '128-bit RC4'],
  ['1.2.840.113549.1.12.1.2', '40-bit RC4'],
  ['1.2.840.113549.1.12.1.5', '128-bit RC2'],
  ['1.2.840.113549.1.12.1.6', '40-bit RC2'],
])

/** Safe to paste into a shell. */
const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`

export function keytoolConversion(path: string, fromType: string): string {
  const [from, to] = [quoted(path), quoted(`${path}.new.p12`)]
  return `keytool -importkeystore -srckeystore ${from} -srcstoretype ${fromType} -destkeystore ${to} -deststoretype PKCS12`
}

function obsolete(path: string, cipher: string): TlsError {
  const openssl = `openssl pkcs12 -legacy -in ${quoted(path)} -nodes -out ${quoted(`${path}.pem`)}`
  return new TlsError(
    `${path}: encrypted with ${cipher}, which is broken and no longer read. Convert it with\n` +
      `  ${keytoolConversion(path, 'PKCS12')}\nor to PEM with\n  ${openssl}`,
  )
}

const wrongPassword = (path: string): TlsError =>
  new TlsError(`${path}: the password does not open this PKCS#12 file (or the file is damaged)`)

function decipher(name: string, key: Buffer, initialVector: Buffer, bytes: Buffer, { path }: Unlocking): Buffer {
  const decryption = createDecipheriv(name, key, initialVector)
  const start = decryption.update(bytes)
  try {
    return Buffer.concat([start, decryption.final()])
  } catch {
    // Bad padding is all that a wrong key looks like in CBC; OpenSSL's own words would only mislead.
    throw wrongPassword(path)
  }
}

function decryptPbes2(parameters: Asn1 | undefined, bytes: Buffer, file: Unlocking): Buffer {
  const [derivation, encryption] = parts(parameters)
  const [oid, initialVector] = parts(encryption)
  const cipher = known(PBES2_CIPHERS, objectIdOf(oid), 'encryption with')
  const key = pbkdf2Key(derivation, file.password, cipher.keyBytes)
  return decipher(cipher.name, key, contentOf(initialVector), bytes, file)
}

/** `algorithm` is the AlgorithmIdentifier beside the encrypted bytes. */
export function decrypt(algorithm: Asn1 | undefined, bytes: Buffer, file: Unlocking): Buffer {
  const [oid, parameters] = parts(algorithm)
  const name = objectIdOf(oid)
  if (name === PBES2) return decryptPbes2(parameters, bytes, file)
  const obsoleteCipher = OBSOLETE_CIPHERS.get(name)
  if (obsoleteCipher !== undefined) throw obsolete(file.path, obsoleteCipher)
  const cipher = known(PKCS12_CIPHERS, name, 'encryption with')
  const [salt, iterations] = parts(parameters)
  const from = stretching(salt, integerOf(iterations))
  const key = pkcs12Key({ digest: sha1, purpose: Purpose.key, length: cipher.keyBytes }, file.password, from)
  const iv = pkcs12Key({ digest: sha1, purpose: Purpose.initialVector, length: 8 }, file.password, from)
  return decipher(cipher.name, key, iv, bytes, file)
}

function pbmac1(parameters: Asn1 | undefined, password: string, content: Buffer): Buffer {
  const [derivation, scheme] = parts(parameters)
  const digest = known(HMACS, objectIdOf(parts(scheme)[0]), 'a MAC with')
  return createHmac(digest.name, pbkdf2Key(derivation, password)).update(content).digest()
}

/** Throws where the MAC (third part of the file) does not vouch for `content`. */
export function verifyMac(macData: Asn1, content: Buffer, { path, password }: Unlocking): void {
  const [digestInfo, salt, iterations] = parts(macData)
  const [algorithm, expected] = parts(digestInfo)
  const [oid, parameters] = parts(algorithm)
  const mac = () => {
    if (objectIdOf(oid) === PBMAC1) return pbmac1(parameters, password, content)
    const digest = known(DIGESTS, objectIdOf(oid), 'a MAC with')
    const from = stretching(salt, iterations === undefined ? 1 : integerOf(iterations))
    const key = pkcs12Key({ digest, purpose: Purpose.mac, length: digest.bytes }, password, from)
    return createHmac(digest.name, key).update(content).digest()
  }
  const [actual, claimed] = [mac(), contentOf(expected)]
  if (actual.length !== claimed.length || !timingSafeEqual(actual, claimed)) throw wrongPassword(path)
}

export interface Sealing {
  readonly password: string
  readonly iterations: number
  readonly random: (bytes: number) => Buffer
}

/** AES-256-CBC under PBKDF2-HMAC-SHA256: what OpenSSL 3 and JDK 17 write themselves. */
export function encrypt(bytes: Buffer, { password, iterations, random }: Sealing): { algorithm: Asn1; sealed: Buffer } {
  const [salt, initialVector] = [random(16), random(16)]
  const encryption = createCipheriv('aes-256-cbc', pbkdf2Sync(password, salt, iterations, 32, 'sha256'), initialVector)
  const sealed = Buffer.concat([encryption.update(bytes), encryption.final()])
  const prf = sequence(objectId(HMAC_SHA256), nullValue())
  const derivation = sequence(objectId(PBKDF2), sequence(octetString(salt), integer(iterations), prf))
  const cipher = sequence(objectId(AES_256_CBC), octetString(initialVector))
  return { algorithm: sequence(objectId(PBES2), sequence(derivation, cipher)), sealed }
}

export function makeMac(content: Buffer, { password, iterations, random }: Sealing): Asn1 {
  const salt = random(20)
  const key = pkcs12Key({ digest: sha256, purpose: Purpose.mac, length: 32 }, password, { salt, iterations })
  const mac = createHmac('sha256', key).update(content).digest()
  const digestInfo = sequence(sequence(objectId(SHA256), nullValue()), octetString(mac))
  return sequence(digestInfo, octetString(salt), integer(iterations))
}
