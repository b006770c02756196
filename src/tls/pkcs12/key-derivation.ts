/**
 * From a password to keys, as PKCS#12 files ask for it: PBKDF2 (RFC 8018) and PKCS#12's own way (RFC 7292, appendix B).
 * It runs on the thread that opens the file, so what a file may ask for is bounded.
 */
import { hash, pbkdf2Sync } from 'node:crypto'
import { type Asn1, contentOf, integerOf, isInteger, isSequence, objectIdOf, parts } from '../pki.ts'

/** A million SHA-256 rounds take about a second; keytool writes 10,000 and OpenSSL 2,048. */
export const ITERATIONS_MAX = 1_000_000
const SALT_BYTES_MAX = 1024
const KEY_BYTES_MAX = 64

export const PBKDF2 = '1.2.840.113549.1.5.12'

export interface Digest {
  readonly name: string
  readonly bytes: number
  readonly blockBytes: number
}

export const sha1: Digest = { name: 'sha1', bytes: 20, blockBytes: 64 }
export const sha224: Digest = { name: 'sha224', bytes: 28, blockBytes: 64 }
export const sha256: Digest = { name: 'sha256', bytes: 32, blockBytes: 64 }
export const sha384: Digest = { name: 'sha384', bytes: 48, blockBytes: 128 }
export const sha512: Digest = { name: 'sha512', bytes: 64, blockBytes: 128 }

export const HMAC_SHA256 = '1.2.840.113549.2.9'

export const HMACS: ReadonlyMap<string, Digest> = new Map([
  ['1.2.840.113549.2.7', sha1],
  ['1.2.840.113549.2.8', sha224],
  [HMAC_SHA256, sha256],
  ['1.2.840.113549.2.10', sha384],
  ['1.2.840.113549.2.11', sha512],
])

export function known<Value>(table: ReadonlyMap<string, Value>, oid: string, what: string): Value {
  const value = table.get(oid)
  if (value === undefined) throw new Error(`${what} ${oid} is not supported`)
  return value
}

export interface Stretching {
  readonly salt: Buffer
  readonly iterations: number
}

export function stretching(salt: Asn1 | undefined, iterations: number): Stretching {
  const bytes = contentOf(salt)
  if (bytes.length > SALT_BYTES_MAX) throw new Error(`a salt of ${bytes.length} bytes is refused`)
  if (iterations < 1 || iterations > ITERATIONS_MAX) {
    throw new Error(`${iterations} key-stretching iterations are refused: at most ${ITERATIONS_MAX}`)
  }
  return { salt: bytes, iterations }
}

/** PBKDF2-params: salt, iterations, the key's length where its user does not know it, and the PRF. */
export function pbkdf2Key(algorithm: Asn1 | undefined, password: string, keyBytes?: number): Buffer {
  const [oid, parameters] = parts(algorithm)
  if (objectIdOf(oid) !== PBKDF2) throw new Error(`key derivation ${objectIdOf(oid)} is not supported`)
  const [salt, iterations, ...rest] = parts(parameters)
  const from = stretching(salt, integerOf(iterations))
  const length = keyBytes ?? integerOf(rest.find(isInteger))
  if (length < 1 || length > KEY_BYTES_MAX) throw new Error(`a derived key of ${length} bytes is refused`)
  const prf = rest.find(isSequence)
  const digest = prf === undefined ? sha1 : known(HMACS, objectIdOf(parts(prf)[0]), 'key derivation with')
  return pbkdf2Sync(password, from.salt, from.iterations, length, digest.name)
}

export const Purpose = { key: 1, initialVector: 2, mac: 3 } as const
export type Purpose = (typeof Purpose)[keyof typeof Purpose]

/** RFC 7292 B.1: passwords are big-endian UTF-16 with a terminating zero. */
const bmpPassword = (password: string): Buffer => Buffer.from(`${password}\0`, 'utf16le').swap16()

const repeated = (bytes: Buffer, blockBytes: number): Buffer =>
  Buffer.alloc(Math.ceil(bytes.length / blockBytes) * blockBytes, bytes)

/** block = block + addend + 1, modulo its size (step 6C of RFC 7292 B.2). */
function addPlusOne(block: Buffer, addend: Buffer): void {
  let carry = 1
  for (let at = block.length - 1; at >= 0; at--) {
    carry += block[at]! + addend[at]!
    block[at] = carry & 0xff
    carry >>= 8
  }
}

export function pkcs12Key(
  { digest, purpose, length }: { digest: Digest; purpose: Purpose; length: number },
  password: string,
  { salt, iterations }: Stretching,
): Buffer {
  const { name, bytes, blockBytes } = digest
  const diversifier = Buffer.alloc(blockBytes, purpose)
  const input = Buffer.concat([repeated(salt, blockBytes), repeated(bmpPassword(password), blockBytes)])
  const chunks: Buffer[] = []
  for (let produced = 0; produced < length; produced += bytes) {
    let chunk = hash(name, Buffer.concat([diversifier, input]), 'buffer')
    for (let round = 1; round < iterations; round++) chunk = hash(name, chunk, 'buffer')
    chunks.push(chunk)
    const addend = Buffer.alloc(blockBytes, chunk)
    for (let at = 0; at < input.length; at += blockBytes) addPlusOne(input.subarray(at, at + blockBytes), addend)
  }
  return Buffer.concat(chunks).subarray(0, length)
}
