// JSON Web Tokens of an issuer that exists for one test, and its public keys.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

export interface TokenSigner {
  /** A JSON Web Key Set, as text. */
  readonly jwks: string
  /** Good for a minute unless `change` says otherwise. */
  token(change?: object, header?: object, key?: KeyObject): string
}

export const issuer = 'https://login.example.com'
export const audience = 'kafka'

export function createTokenSigner(subject: string): TokenSigner {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256', use: 'sig' }
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return {
    jwks: JSON.stringify({ keys: [jwk] }),
    token(change = {}, header = {}, key = privateKey) {
      const seconds = Math.floor(Date.now() / 1_000)
      const claims = { iss: issuer, aud: audience, sub: subject, iat: seconds - 9_000, exp: seconds + 60, ...change }
      const text = `${part({ alg: 'ES256', kid: 'one', ...header })}.${part(claims)}`
      // RFC 7518, 3.4: the two halves of the signature side by side, not DER.
      return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
    },
  }
}
