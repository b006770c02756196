/** Whether a JSON Web Token is to be believed, and whom it names. The configuration names every algorithm. */
import { errors, type JWTVerifyGetKey, type JWTVerifyOptions, type JWTVerifyResult, jwtVerify } from 'jose'
import { VkitmError } from '../errors.ts'
import type { Authenticated } from '../sasl/conversation.ts'
import { userPrincipal } from './principal.ts'

/** Signatures with a private key alone: HMAC would take the public key for its secret. */
export const tokenAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const
export type TokenAlgorithm = (typeof tokenAlgorithms)[number]

const skewSeconds = 30

export interface TokenRules {
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly TokenAlgorithm[]
  readonly principalClaim: string
  /** A scope that the token must have; absent: any. */
  readonly scope?: string | undefined
}

export interface TokenJudgeOptions {
  readonly keys: JWTVerifyGetKey
  readonly rules: TokenRules
  /** Milliseconds of the wall clock. */
  readonly wallClock: () => number
}

export function createTokenJudge({ keys, rules, wallClock }: TokenJudgeOptions) {
  return async (token: string): Promise<Authenticated> => {
    const nowMs = wallClock()
    const { payload, protectedHeader } = await verified(token, guarded(keys), {
      algorithms: [...rules.algorithms],
      issuer: rules.issuer,
      audience: rules.audience,
      clockTolerance: skewSeconds,
      currentDate: new Date(nowMs),
      requiredClaims: ['exp', rules.principalClaim],
    })
    if (protectedHeader.crit !== undefined) throw refused('its header has crit')
    const { exp, iat, scope } = payload
    // jose looks at iat only where an age is bounded.
    if (iat !== undefined && iat > nowMs / 1_000 + skewSeconds) throw refused('it was issued in the future')
    if (rules.scope !== undefined && !scopesOf(scope).includes(rules.scope)) throw refused('it lacks the scope')
    const name = payload[rules.principalClaim]
    if (typeof name !== 'string') throw refused(`its ${rules.principalClaim} is no text`)
    return { name: userPrincipal(name).name, expiresAtMs: exp! * 1_000 }
  }
}

/** What jose throws holds the token's claims, and quotes its header: it goes no further. */
async function verified(token: string, keys: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, keys, options)
  } catch (error) {
    if (error instanceof VkitmError) throw error
    throw refused(wordsFor(error))
  }
}

const words: Readonly<Record<string, string>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'its algorithm is not among those that are believed',
  ERR_JWKS_NO_MATCHING_KEY: 'no key of the issuer has its kid',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'its signature is wrong',
}

function wordsFor(error: unknown): string {
  if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason, payload } = error
    if (reason === 'missing') return `it has no ${claim}`
    if (claim === 'exp' && typeof payload.exp === 'number') return `it expired at ${timeOf(payload.exp)}`
    if (claim === 'nbf' && typeof payload.nbf === 'number') return `it is not valid before ${timeOf(payload.nbf)}`
    if (claim === 'iss') return 'it is from another issuer'
    if (claim === 'aud') return 'it is meant for another audience'
    return `its ${claim} is not what it must be`
  }
  return words[(error as { readonly code?: string }).code ?? ''] ?? 'it is no signed JSON Web Token'
}

function timeOf(seconds: number): string {
  const time = new Date(seconds * 1_000)
  return Number.isNaN(time.getTime()) ? 'no time there is' : time.toISOString()
}

/** RFC 8725: a token must not say where its own key comes from. */
function guarded(keys: JWTVerifyGetKey): JWTVerifyGetKey {
  return (header, token) => {
    for (const name of ['jku', 'x5u', 'jwk', 'x5c', 'crit']) {
      if (name in header) throw refused(`its header has ${name}`)
    }
    if (typeof header.kid !== 'string' || header.kid === '') throw refused('its header has no kid')
    return keys(header, token)
  }
}

function scopesOf(scope: unknown): readonly unknown[] {
  if (Array.isArray(scope)) return scope
  return typeof scope === 'string' ? scope.split(' ') : []
}

const refused = (why: string): VkitmError => new VkitmError('VKITM_TOKEN', why)
