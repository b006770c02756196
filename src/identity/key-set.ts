/**
 * The public keys that tokens are verified with: from a file, or from a URL that is asked again when a token names a
 * key nobody knows, at most every 30 seconds. An identity provider that is down is lived without for a day.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { VkitmError } from '../errors.ts'
import { type Fetch, fetchDocument } from './fetch-document.ts'
import { isObject } from './users.ts'

const refetchMs = 30_000
const servesMs = 24 * 60 * 60 * 1_000
const keysMax = 1_000

/** Throws where the text is no set of public keys. */
export function parseKeySet(text: string): JWTVerifyGetKey {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Said below, without quoting what was read.
  }
  const keys = isObject(value) && Array.isArray(value.keys) ? (value.keys as unknown[]) : undefined
  if (keys === undefined || keys.length === 0 || keys.length > keysMax || !keys.every(isObject))
    throw new VkitmError('VKITM_JWKS', 'is no JSON Web Key Set: it needs keys, a list of 1 to 1000 public keys')
  // A shared secret in the set would let a token be signed by whoever can verify it.
  const isPublic = keys.filter(key => key.kty !== 'oct' && !('d' in key) && typeof key.kid === 'string')
  if (isPublic.length === 0) throw new VkitmError('VKITM_JWKS', 'has no public key with a kid')
  return createLocalJWKSet({ keys: isPublic } as unknown as JSONWebKeySet)
}

export interface RemoteKeySetOptions {
  readonly url: string
  readonly fetch: Fetch
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export function remoteKeySet({ url, fetch, now }: RemoteKeySetOptions): JWTVerifyGetKey {
  let keys: JWTVerifyGetKey | undefined
  let fetchedAtMs = 0
  let triedAtMs = Number.NEGATIVE_INFINITY
  let fetching: Promise<void> | undefined
  let failure: unknown

  const refetch = async (): Promise<void> => {
    triedAtMs = now()
    try {
      keys = parseKeySet(await fetchDocument(fetch, url))
      fetchedAtMs = now()
      failure = undefined
    } catch (error) {
      failure = error
    }
  }
  const refresh = async (): Promise<boolean> => {
    if (fetching === undefined && now() - triedAtMs < refetchMs) return false
    fetching ??= refetch().finally(() => {
      fetching = undefined
    })
    await fetching
    return true
  }
  const known = (): JWTVerifyGetKey => {
    if (keys !== undefined && now() - fetchedAtMs <= servesMs) return keys
    const why = failure instanceof Error ? `: ${failure.message}` : ''
    throw new VkitmError('VKITM_JWKS', `there are no keys to verify tokens with${why}`, { cause: failure })
  }
  return async (header, token) => {
    if (keys === undefined || now() - fetchedAtMs > servesMs) await refresh()
    try {
      return await known()(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await refresh())) throw error
      return known()(header, token)
    }
  }
}
