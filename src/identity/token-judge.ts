/** Whether a JSON Web Token is to be believed, and whom it names. The configuration names every algorithm. */
import { type JWTVerifyGetKey, jwtVerify } from 'jose'
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
    const { payload, protectedHeader } = await jwtVerify(token, guarded(keys), {
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
