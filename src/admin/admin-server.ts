/**
 * Health, readiness and metrics over HTTP. What they mean is brought in from outside; this room only answers, and
 * keeps everybody but an authorised operator from changing anything.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from '../telemetry/log.ts'
import type { Secret } from '../telemetry/secret.ts'
import { mayPost } from './operator.ts'

export interface Health {
  readonly status: 'ok' | 'degraded'
  readonly reasons: readonly string[]
}

export interface Readiness {
  readonly ready: boolean
  /** What is missing and which line to change. */
  readonly reasons: readonly string[]
}

export interface AdminServerOptions {
  readonly bind: { readonly host: string; readonly port: number }
  readonly token?: Secret
  readonly health: () => Health
  readonly readiness: () => Readiness
  readonly metrics: { readonly contentType: string; text(): Promise<string> }
  /** What POST does, by path: `/reload`. A rejection is answered with 500 and its message. */
  readonly actions?: Readonly<Record<string, () => Promise<void>>>
  readonly log: Logger
}

export interface AdminServer {
  /** What was bound, also where the port was left to the system. */
  readonly address: { readonly host: string; readonly port: number }
  stop(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly body: string | object
  readonly headers?: Readonly<Record<string, string>>
}

const SERVER_OPTIONS = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
} as const
const CONNECTIONS_MAX = 64

export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const server = createServer(SERVER_OPTIONS, (request, response) => void respond(options, request, response))
  server.maxConnections = CONNECTIONS_MAX
  await listen(server, options.bind)
  server.on('error', err => options.log.error({ err }, 'admin server failed'))
  const { address, port } = server.address() as AddressInfo
  return { address: { host: address, port }, stop: () => stop(server) }
}

function listen(server: Server, { host, port }: AdminServerOptions['bind']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function stop(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function respond(options: AdminServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    send(request, response, await answerTo(options, request))
  } catch (err) {
    options.log.error({ err, details: { path: request.url } }, 'admin request failed')
    send(request, response, { status: 500, body: { error: 'internal error, see the log' } })
  }
}

async function answerTo(options: AdminServerOptions, request: IncomingMessage): Promise<Answer> {
  const [path = ''] = (request.url ?? '').split('?')
  const page = pages(options).get(path)
  const action = Object.hasOwn(options.actions ?? {}, path) ? options.actions?.[path] : undefined
  if (page === undefined && action === undefined) return { status: 404, body: { error: 'not found' } }
  if (action !== undefined && request.method === 'POST') return act(options, request, action)
  if (page !== undefined && (request.method === 'GET' || request.method === 'HEAD')) return page()
  const allow = [...(page ? ['GET', 'HEAD'] : []), ...(action ? ['POST'] : [])].join(', ')
  return { status: 405, body: { error: `use ${allow}` }, headers: { allow } }
}

function pages({ health, readiness, metrics }: AdminServerOptions): Map<string, () => Answer | Promise<Answer>> {
  return new Map<string, () => Answer | Promise<Answer>>([
    // 200 as long as the process serves: a liveness probe must not turn a typo in a policy into a crash loop.
    ['/healthz', () => ({ status: 200, body: health() })],
    ['/readyz', () => ({ status: readiness().ready ? 200 : 503, body: readiness() })],
    [
      '/metrics',
      async () => ({ status: 200, body: await metrics.text(), headers: { 'content-type': metrics.contentType } }),
    ],
  ])
}

async function act(
  { bind, token, log }: AdminServerOptions,
  request: IncomingMessage,
  action: () => Promise<void>,
): Promise<Answer> {
  const refusal = mayPost(request, bind.host, token)
  if (refusal !== undefined) {
    log.warn({ client: request.socket.remoteAddress, details: { path: request.url } }, 'admin request refused')
    return refusal
  }
  try {
    await action()
    return { status: 200, body: { done: true } }
  } catch (err) {
    log.error({ err, details: { path: request.url } }, 'admin action failed')
    return { status: 500, body: { error: err instanceof Error ? err.message : String(err) } }
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const isText = typeof body === 'string'
  response.writeHead(status, {
    'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // Bodies of requests mean nothing here and are not read.
    ...(request.method === 'GET' || request.method === 'HEAD' ? {} : { connection: 'close' }),
    ...headers,
  })
  response.end(isText ? body : `${JSON.stringify(body)}\n`)
}
