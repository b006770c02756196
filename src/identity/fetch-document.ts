/**
 * One small document over HTTPS: a key set, a token. No redirects, nothing large, nothing slow, no other scheme
 * (CVE-2025-27817: a URL in a configuration read files and inner services).
 */
import { VkitmError } from '../errors.ts'

/** The body is text; who implements this follows no redirect. */
export type Fetch = (url: string, init: RequestInit & { readonly body?: string }) => Promise<Response>

const documentBytesMax = 1024 * 1024
const timeoutMs = 5_000
const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/** What is wrong with a URL; undefined where nothing is. */
export function urlFlaw(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is no URL'
  const { protocol, hostname, username, password } = new URL(text)
  if (username !== '' || password !== '') return 'holds a user name or a password: leave them out'
  if (protocol === 'https:' || (protocol === 'http:' && loopback.has(hostname))) return undefined
  return 'is not https'
}

export async function fetchDocument(fetch: Fetch, url: string, init: Parameters<Fetch>[1] = {}): Promise<string> {
  const flaw = urlFlaw(url)
  if (flaw !== undefined) throw notFetched(url, flaw)
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const answer = await fetch(url, { ...init, redirect: 'manual', signal })
    if (answer.status !== 200) {
      await answer.body?.cancel()
      throw new Error(`status ${answer.status}`)
    }
    return await textOf(answer)
  } catch (cause) {
    const why = signal.aborted ? `no whole answer within ${timeoutMs} ms` : messageOf(cause)
    throw notFetched(url, why, cause)
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let byteLength = 0
  for await (const chunk of body ?? []) {
    byteLength += chunk.length
    if (byteLength > documentBytesMax) throw new Error('longer than 1 MiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function notFetched(url: string, why: string, cause?: unknown): VkitmError {
  const where = URL.canParse(url) ? new URL(url).origin : 'the URL'
  return new VkitmError('VKITM_FETCH', `nothing usable came from ${where}: ${why}`, { cause })
}
