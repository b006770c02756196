/**
 * Health, readiness and metrics over HTTP. What they mean is brought in from outside; this room only answers, and
 * keeps everybody but an authorised operator from changing anything.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { VkitmError } from '../errors.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Secret } from '../telemetry/secret.ts'
import { mayPost } from './operator.ts'

export interface AdminOptions {
  readonly bind: { readonly host: string; readonly port: number }
  readonly token?: Secret
  /** What is degraded; empty where all is well. */
  readonly health: () => readonly string[]
  /** Why no new clients should come, each with the line to change; empty where they may. */
  readonly readiness: () => readonly string[]
  readonly metrics: { readonly contentType: string; text(): Promise<string> }
  /** What POST does, by path: `/reload`. A rejection is answered with 500 and its message. */
  readonly actions?: Readonly<Record<string, () => Promise<void>>>
  readonly log: Logger
}

export interface Admin {
  /** The host:port that was bound, also where the port was left to the system. */
  readonly address: string
  close(): Promise<void>
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

export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const server = createServer(SERVER_OPTIONS, (request, response) => void respond(options, request, response))
  server.maxConnections = CONNECTIONS_MAX
  await listen(server, options.bind)
  server.on('error', err => options.log.error({ err }, 'admin server failed'))
  return { address: printed(server.address() as AddressInfo), close: () => close(server) }
}

function listen(server: Server, { host, port }: AdminOptions['bind']): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => reject(cannotBind(host, port, cause))
    server.once('error', failed)
    server.listen({ host, port }, () => {
      server.off('error', failed)
      resolve()
    })
  })
}

function cannotBind(host: string, port: number, cause: Error): VkitmError {
  const { code } = cause as NodeJS.ErrnoException
  const why =
    code === 'EADDRINUSE'
      ? 'another process has the port: choose another under admin.bind, or admin: none'
      : cause.message
  return new VkitmError('VKITM_BIND', `admin cannot bind ${host}:${port}: ${why}`, { cause })
}

function printed({ address, port }: AddressInfo): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function respond(options: AdminOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    send(request, response, await answerTo(options, request))
  } catch (err) {
    options.log.error({ err, details: { path: request.url } }, 'admin request failed')
    send(request, response, { status: 500, body: { error: 'internal error, see the log' } })
  }
}

async function answerTo(options: AdminOptions, request: IncomingMessage): Promise<Answer> {
  const [path = ''] = (request.url ?? '').split('?')
  const page = pages(options).get(path)
  const action = Object.hasOwn(options.actions ?? {}, path) ? options.actions?.[path] : undefined
  if (page === undefined && action === undefined) return { status: 404, body: { error: 'not found' } }
  if (action !== undefined && request.method === 'POST') return act(options, request, action)
  if (page !== undefined && (request.method === 'GET' || request.method === 'HEAD')) return page()
  const allow = [...(page ? ['GET', 'HEAD'] : []), ...(action ? ['POST'] : [])].join(', ')
  return { status: 405, body: { error: `use ${allow}` }, headers: { allow } }
}

function pages({ health, readiness, metrics }: AdminOptions): Map<string, () => Answer | Promise<Answer>> {
  return new Map<string, () => Answer | Promise<Answer>>([
    ['/healthz', () => healthPage(health())],
    ['/readyz', () => readinessPage(readiness())],
    [
      '/metrics',
      async () => ({ status: 200, body: await metrics.text(), headers: { 'content-type': metrics.contentType } }),
    ],
  ])
}

/** 200 as long as the process serves: a liveness probe must not turn a typo in a policy into a crash loop. */
function healthPage(reasons: readonly string[]): Answer {
  return { status: 200, body: { status: reasons.length === 0 ? 'ok' : 'degraded', reasons } }
}

function readinessPage(reasons: readonly string[]): Answer {
  const ready = reasons.length === 0
  return { status: ready ? 200 : 503, body: { ready, reasons } }
}

async function act(
  { bind, token, log }: AdminOptions,
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
