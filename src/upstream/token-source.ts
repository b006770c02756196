/** Where the gateway's own bearer tokens come from: a file that somebody renews, or a token endpoint (RFC 6749, 4.4). */
import { readFile } from 'node:fs/promises'
import { SaslError } from '../errors.ts'
import { type Fetch, fetchDocument } from '../identity/fetch-document.ts'
import type { Secret } from '../telemetry/secret.ts'

export interface TokenSource {
  token(): Promise<string>
  /** A broker refused what `token` gave. */
  refused(): void
}

/** Read at every login: whoever renews the file need not tell. */
export function fileTokenSource(path: string): TokenSource {
  const token = async (): Promise<string> => {
    try {
      return (await readFile(path, 'utf8')).trim()
    } catch (cause) {
      throw new SaslError(`cannot read the token file ${path}: ${(cause as NodeJS.ErrnoException).code}`, { cause })
    }
  }
  return { token, refused: () => undefined }
}

export interface TokenEndpointOptions {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: Secret
  readonly scope?: string | undefined
  readonly fetch: Fetch
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** Logins that come sooner after a failure share it: clients that try on must not become a flood at the endpoint. */
const failureLastsMs = 1_000

/**
 * One token serves every login until most of its time is over, and to its end where no other is to be had, unless a
 * broker refuses it.
 */
export function endpointTokenSource(options: TokenEndpointOptions): TokenSource {
  const { now } = options
  let known: { readonly text: string; readonly freshUntilMs: number; readonly endsAtMs: number } | undefined
  let failure: { readonly error: unknown; readonly atMs: number } | undefined
  let asking: Promise<string> | undefined
  const ask = async (): Promise<string> => {
    const askedAtMs = now()
    try {
      const { text, lifetimeMs } = await askEndpoint(options)
      known = { text, freshUntilMs: askedAtMs + 0.8 * lifetimeMs, endsAtMs: askedAtMs + lifetimeMs }
      failure = undefined
      return text
    } catch (error) {
      failure = { error, atMs: now() }
      return fallBack(error)
    }
  }
  const fallBack = (error: unknown): string => {
    if (known !== undefined && now() < known.endsAtMs) return known.text
    throw error
  }
  const token = async (): Promise<string> => {
    if (known !== undefined && now() < known.freshUntilMs) return known.text
    if (failure !== undefined && now() < failure.atMs + failureLastsMs) return fallBack(failure.error)
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }
  const refused = (): void => {
    known = undefined
  }
  return { token, refused }
}

async function askEndpoint({ url, clientId, clientSecret, scope, fetch }: TokenEndpointOptions) {
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) })
  // RFC 6749, 2.3.1: both halves are form-encoded before they are joined.
  const [user, secret] = [clientId, clientSecret.reveal()].map(half =>
    new URLSearchParams({ '': half }).toString().slice(1),
  )
  const text = await fetchDocument(fetch, url, {
    method: 'POST',
    body: form.toString(),
    headers: {
      authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    },
  })
  let answer: { access_token?: unknown; expires_in?: unknown } | null = null
  try {
    answer = JSON.parse(text)
  } catch {
    // Said below: what came may hold a token.
  }
  const { access_token: access, expires_in: seconds } = answer ?? {}
  if (typeof access !== 'string') throw new SaslError('the token endpoint answered without access_token')
  return { text: access, lifetimeMs: typeof seconds === 'number' && seconds > 0 ? seconds * 1_000 : 0 }
}
