/**
 * The public keys that tokens are verified with: from a file, or from a URL. The URL is asked again when a token comes
 * ten minutes after the last answer, so that a key that was withdrawn ends, or names a key nobody knows; at most every
 * 30 seconds. An identity provider that is down is lived without for a day.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { VkitmError } from '../errors.ts'
import { type Fetch, fetchDocument } from './fetch-document.ts'
import { isObject } from './users.ts'

const refetchMs = 30_000
const freshMs = 10 * 60 * 1_000
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

export class RemoteKeySet {
  readonly #options: RemoteKeySetOptions
  #keys: JWTVerifyGetKey | undefined
  #fetchedAtMs = 0
  #freshUntilMs = Number.NEGATIVE_INFINITY
  #triedAtMs = Number.NEGATIVE_INFINITY
  #fetching: Promise<void> | undefined
  /** What is being fetched was asked for before somebody said that it is over. */
  #isOutdated = false
  #failure: unknown

  constructor(options: RemoteKeySetOptions) {
    this.#options = options
  }

  /** For jose. Rejects where there is no such key. */
  readonly key: JWTVerifyGetKey = async (header, token) => {
    while (this.#options.now() > this.#freshUntilMs && (await this.#refresh())) {
      // Until the answer is one to what was asked last.
    }
    try {
      return await this.#known()(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.#refresh())) throw error
      return this.#known()(header, token)
    }
  }

  /** The next token is judged by what the URL says then, if it says something. */
  renew(): void {
    this.#freshUntilMs = this.#triedAtMs = Number.NEGATIVE_INFINITY
    this.#isOutdated = this.#fetching !== undefined
  }

  /** False where the URL was asked too lately. */
  async #refresh(): Promise<boolean> {
    if (this.#fetching === undefined && this.#options.now() - this.#triedAtMs < refetchMs) return false
    this.#fetching ??= this.#refetch().finally(() => {
      this.#fetching = undefined
    })
    await this.#fetching
    return true
  }

  async #refetch(): Promise<void> {
    const { url, fetch, now } = this.#options
    this.#triedAtMs = now()
    this.#isOutdated = false
    try {
      this.#keys = parseKeySet(await fetchDocument(fetch, url))
      this.#fetchedAtMs = now()
      if (!this.#isOutdated) this.#freshUntilMs = now() + freshMs
      this.#failure = undefined
    } catch (error) {
      this.#failure = error
    }
  }

  #known(): JWTVerifyGetKey {
    if (this.#keys !== undefined && this.#options.now() - this.#fetchedAtMs <= servesMs) return this.#keys
    const why = this.#failure instanceof Error ? `: ${this.#failure.message}` : ''
    throw new VkitmError('VKITM_JWKS', `there are no keys to verify tokens with${why}`, { cause: this.#failure })
  }
}
