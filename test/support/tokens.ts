/** Bearer tokens as real clients take them: from files, for one user and some seconds. */
import { writeFileSync } from 'node:fs'
import { createTokenSigner } from './signed-token.ts'

export interface TokenIssuer {
  /** A JSON Web Key Set. */
  readonly keySet: string
  token(subject: string, seconds: number): string
  /** What clients read their token from. */
  save(file: string, subject: string, seconds: number): string
}

export function createTokenIssuer(): TokenIssuer {
  const signer = createTokenSigner('nobody')
  const token = (subject: string, seconds: number): string => {
    const now = Math.floor(Date.now() / 1_000)
    return signer.token({ sub: subject, iat: now, exp: now + seconds, scope: 'kafka' })
  }
  return {
    keySet: signer.jwks,
    token,
    save(file, subject, seconds) {
      writeFileSync(file, token(subject, seconds), { mode: 0o600 })
      return file
    },
  }
}
