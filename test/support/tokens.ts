/** An issuer of bearer tokens for one test run: its public keys as a file, and tokens with the claims that tests need. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'

export const issuer = 'https://login.example.com'
export const audience = 'kafka'

export interface TokenIssuer {
  /** A JSON Web Key Set. */
  readonly keySet: string
  token(subject: string, seconds: number): string
  /** What clients read their token from. */
  save(file: string, subject: string, seconds: number): string
}

export function createTokenIssuer(): TokenIssuer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const kid = 'one'
  const key = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = (subject: string, seconds: number): string => {
    const now = Math.floor(Date.now() / 1_000)
    const claims = { iss: issuer, aud: audience, sub: subject, iat: now, exp: now + seconds, scope: 'kafka' }
    const text = `${part({ alg: 'ES256', kid })}.${part(claims)}`
    // RFC 7518, 3.4: the two halves of the signature side by side, not DER.
    const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return `${text}.${signature.toString('base64url')}`
  }
  return {
    keySet: JSON.stringify({ keys: [key] }),
    token,
    save(file, subject, seconds) {
      writeFileSync(file, token(subject, seconds), { mode: 0o600 })
      return file
    },
  }
}
