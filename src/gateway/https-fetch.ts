/**
 * Requests over HTTPS to whoever issues tokens: verified by Node's authorities or by those of the configuration, on a
 * connection of their own, following no redirect. Node's `fetch` knows no authorities but Node's.
 */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { CertificateSource } from '../config/config.ts'
import type { Fetch } from '../identity/fetch-document.ts'
import { profile } from '../tls/tls-profile.ts'
import { loadTrust, type Trust, trustOptions } from '../tls/trust.ts'

/** Answers of these kinds have no body, and `Response` takes none. */
const bodiless = new Set([204, 205, 304])

/** Who may vouch for the other side; absent: Node's authorities. Throws a TlsError. */
export const trustIn = (ca: CertificateSource | undefined): Trust | undefined =>
  ca === undefined ? undefined : loadTrust(ca, { crl: [], now: new Date(), side: 'client' })

/** `trust` is asked at every request, so that it can be exchanged. Whether the URL may be asked at all is not judged here. */
export function httpsFetch(trust: () => Trust | undefined): Fetch {
  return (url, { method = 'GET', headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const trusted = trust()
      const options = {
        method,
        headers: Object.fromEntries(new Headers(headers)),
        agent: false,
        ...(signal == null ? {} : { signal }),
      }
      const tls = { ...profile('TLSv1.2'), ...(trusted && trustOptions(trusted)) }
      const asked = url.startsWith('http:') ? httpRequest(url, options) : httpsRequest(url, { ...options, ...tls })
      asked.once('response', answer => {
        const { statusCode: status = 0 } = answer
        const stream = Readable.toWeb(answer) as ReadableStream<Uint8Array>
        // A status that `Response` does not know is an answer to refuse, not an exception.
        const isKnown = status >= 200 && status <= 599
        resolve(new Response(bodiless.has(status) ? null : stream, { status: isKnown ? status : 502 }))
      })
      asked.on('error', reject)
      // Neither an answer nor an error is what Node makes of one that switches protocols.
      asked.once('close', () => reject(new Error('the connection was closed without an answer')))
      asked.end(body)
    })
}
