/** Randomness as the rooms below take it. */
import { randomBytes, randomInt } from 'node:crypto'

/** Printable and without a comma, as SCRAM wants it. */
export const nonce = (): string => randomBytes(24).toString('base64url')

/** From 0 to 1. */
export const random = (): number => randomInt(2 ** 32) / 2 ** 32
