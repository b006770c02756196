/** The keys of RFC 5802. A verifier holds what proves a password without being one. */
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
export const scramMechanisms: readonly ScramMechanism[] = ['SCRAM-SHA-512', 'SCRAM-SHA-256']

export interface ScramVerifier {
  readonly salt: Buffer
  readonly iterations: number
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

const hashNames = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const
export const keyBytes = { 'SCRAM-SHA-256': 32, 'SCRAM-SHA-512': 64 } as const

/** The asynchronous one, always: 10,000 rounds take milliseconds, and the event loop belongs to everybody. */
const derive = promisify(pbkdf2)

/** Kafka takes the password's UTF-8 bytes as they are (ScramFormatter.normalize). */
export function saltedPassword(
  mechanism: ScramMechanism,
  password: string | Buffer,
  { salt, iterations }: Pick<ScramVerifier, 'salt' | 'iterations'>,
): Promise<Buffer> {
  return derive(password, salt, iterations, keyBytes[mechanism], hashNames[mechanism])
}

export const hmac = (mechanism: ScramMechanism, key: Buffer, data: string): Buffer =>
  createHmac(hashNames[mechanism], key).update(data, 'utf8').digest()

export const digest = (mechanism: ScramMechanism, data: Buffer): Buffer =>
  createHash(hashNames[mechanism]).update(data).digest()

export const clientKeyOf = (mechanism: ScramMechanism, salted: Buffer): Buffer => hmac(mechanism, salted, 'Client Key')
export const serverKeyOf = (mechanism: ScramMechanism, salted: Buffer): Buffer => hmac(mechanism, salted, 'Server Key')

export async function createVerifier(
  mechanism: ScramMechanism,
  password: string,
  { salt, iterations }: Pick<ScramVerifier, 'salt' | 'iterations'>,
): Promise<ScramVerifier> {
  const salted = await saltedPassword(mechanism, password, { salt, iterations })
  const storedKey = digest(mechanism, clientKeyOf(mechanism, salted))
  return { salt, iterations, storedKey, serverKey: serverKeyOf(mechanism, salted) }
}

/** Takes as long for every wrong password; both sides are digests of one length. */
export async function isPassword(
  mechanism: ScramMechanism,
  password: string,
  verifier: ScramVerifier,
): Promise<boolean> {
  const salted = await saltedPassword(mechanism, password, verifier)
  return sameKey(digest(mechanism, clientKeyOf(mechanism, salted)), verifier.storedKey)
}

/** `timingSafeEqual` throws where lengths differ; a length is no secret. */
export const sameKey = (one: Buffer, other: Buffer): boolean =>
  one.length === other.length && timingSafeEqual(one, other)

export function xor(one: Buffer, other: Buffer): Buffer {
  const result = Buffer.alloc(one.length)
  for (let at = 0; at < one.length; at++) result[at] = one[at]! ^ other[at]!
  return result
}
