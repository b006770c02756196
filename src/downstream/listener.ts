/**
 * The ports of one configured listener: accepts, counts, paces, reads a PROXY header where one is expected, shakes
 * hands, and hands over a connected socket with what is known of it. One TLS server serves all ports, so that there is
 * one certificate to swap.
 */
import { type AddressInfo, type BlockList, createServer, isIP, type Server, type Socket } from 'node:net'
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
  type TlsOptions,
  type Server as TlsServer,
} from 'node:tls'
import { VkitmError } from '../errors.ts'
import type { StrangerLog } from '../telemetry/flood-log.ts'
import type { Logger } from '../telemetry/log.ts'
import type { ListenerMetrics, Metrics } from '../telemetry/metrics.ts'
import { handshakeFailure, verdictOf } from '../tls/handshake-failure.ts'
import type { AcceptLimits } from './accept-limits.ts'
import { networkOf } from './network-of.ts'
import { parseProxyHeader } from './proxy-protocol.ts'

export interface ListenerPort {
  readonly port: number
  /** The broker that the port stands for; undefined for the bootstrap port. */
  readonly nodeId: number | undefined
}

/** A client that may speak Kafka now: connected, admitted, its handshake done. */
export interface Arrival {
  readonly socket: Socket | TLSSocket
  readonly nodeId: number | undefined
  /** As the client connects from, or as a trusted PROXY header says. */
  readonly ip: string
  readonly port: number
}

export interface ListenerOptions {
  readonly name: string
  readonly host: string
  readonly ports: readonly ListenerPort[]
  /** Absent: plaintext. */
  readonly tls?: TlsOptions | undefined
  /** Peers that may send a PROXY header, and must; absent: nobody. */
  readonly proxyTrusted?: BlockList | undefined
  readonly headerTimeoutMs: number
  readonly limits: AcceptLimits
  readonly metrics: Metrics
  readonly log: Logger
  /** For what anybody can cause. */
  readonly strangers: StrangerLog
  readonly onArrival: (arrival: Arrival) => void
}

const keepAliveMs = 60_000
/** Clients reconnect all at once after a restart. */
const backlog = 4096

interface Pending {
  readonly nodeId: number | undefined
  readonly ip: string
  readonly port: number
}

export class Listener {
  readonly #options: ListenerOptions
  readonly #metrics: ListenerMetrics
  readonly #servers: Server[] = []
  readonly #tlsServer: TlsServer | undefined
  /** What is known of connections whose handshake is under way, by the four ends of the connection. */
  readonly #shaking = new Map<string, { readonly raw: Socket; readonly peer: Pending }>()
  /** The same for those whose handshake failed, when the ends of the connection are forgotten. */
  readonly #peers = new WeakMap<object, Pending>()
  /** Accepted and not handed over: in their handshake, before their PROXY header or before their turn. */
  readonly #arriving = new Set<Socket>()

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#metrics = options.metrics.listener(options.name)
    this.#tlsServer = options.tls === undefined ? undefined : this.#createTlsServer(options.tls)
  }

  /**
   * Binds every port; rejects with one clear error, and nothing bound, where one cannot be.
   * @returns the bound ports, in the order of `ports`.
   */
  async listen(): Promise<readonly number[]> {
    try {
      const bound: number[] = []
      for (const port of this.#options.ports) bound.push(await this.#bind(port))
      return bound
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** Takes no new connections; those that arrived live on. */
  async close(): Promise<void> {
    for (const server of this.#servers.splice(0)) server.close()
    for (const socket of this.#arriving) socket.destroy()
  }

  /** New handshakes use `context`; connections that are open notice nothing. Throws, and changes nothing, where Node refuses it. */
  replaceContext(context: SecureContextOptions): void {
    this.#tlsServer?.setSecureContext(context)
  }

  /** 48 bytes. Node keeps no older ones: a session sealed by those before costs its client one full handshake. */
  replaceTicketKeys(keys: Buffer): void {
    this.#tlsServer?.setTicketKeys(keys)
  }

  #bind({ port, nodeId }: ListenerPort): Promise<number> {
    const { host, name } = this.#options
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs }, socket =>
      this.#accepted(socket, nodeId),
    )
    return new Promise((resolve, reject) => {
      server.once('error', cause => reject(cannotBind(name, host, port, cause)))
      server.listen({ host, port, backlog }, () => {
        this.#servers.push(server)
        server.on('error', error =>
          this.#options.log.error({ listener: name, err: error }, 'cannot accept connections'),
        )
        resolve((server.address() as AddressInfo).port)
      })
    })
  }

  #accepted(socket: Socket, nodeId: number | undefined): void {
    const { remoteAddress, remotePort } = socket
    // Gone before it was looked at.
    if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy()
    this.#arriving.add(socket)
    socket.once('close', () => this.#arriving.delete(socket))
    socket.on('error', error =>
      this.#options.log.debug({ listener: this.#options.name, err: error }, 'connection broke'),
    )
    const peer = { nodeId, ip: plainAddress(remoteAddress), port: remotePort }
    const { proxyTrusted } = this.#options
    if (proxyTrusted === undefined) return this.#admit(socket, peer)
    if (!proxyTrusted.check(peer.ip, isIP(peer.ip) === 6 ? 'ipv6' : 'ipv4')) {
      return this.#turnAway(socket, peer, 'not a trusted proxy')
    }
    this.#readProxyHeader(socket, peer)
  }

  #readProxyHeader(socket: Socket, peer: Pending): void {
    let received = Buffer.alloc(0)
    const timer = setTimeout(
      () => this.#turnAway(socket, peer, 'no PROXY header in time'),
      this.#options.headerTimeoutMs,
    )
    const read = (): void => {
      const chunk: Buffer | null = socket.read()
      if (chunk === null) return
      received = Buffer.concat([received, chunk])
      try {
        const header = parseProxyHeader(received)
        if (header === undefined) return
        settle()
        const rest = received.subarray(header.byteLength)
        if (rest.length > 0) socket.unshift(rest)
        const { source } = header
        this.#admit(socket, source === undefined ? peer : { ...peer, ip: source.address, port: source.port })
      } catch {
        settle()
        this.#turnAway(socket, peer, 'bad PROXY header')
      }
    }
    const settle = (): void => {
      clearTimeout(timer)
      socket.off('readable', read)
      socket.off('close', settle)
    }
    socket.on('readable', read)
    socket.on('close', settle)
  }

  #admit(socket: Socket, peer: Pending): void {
    const { limits } = this.#options
    const network = networkOf(peer.ip)
    const admission = limits.enter(network)
    if (admission.kind === 'refused') return this.#turnAway(socket, peer, admission.reason)
    this.#metrics.connectionOpened()
    socket.once('close', () => {
      limits.leave(network)
      this.#metrics.connectionClosed()
    })
    if (admission.delayMs === 0) return this.#start(socket, peer)
    setTimeout(() => this.#start(socket, peer), admission.delayMs)
  }

  #start(socket: Socket, peer: Pending): void {
    if (socket.destroyed) return
    if (this.#tlsServer === undefined) return this.#handOver(socket, socket, peer)
    const ends = endsOf(socket)
    this.#shaking.set(ends, { raw: socket, peer })
    this.#peers.set(socket, peer)
    socket.once('close', () => this.#shaking.delete(ends))
    this.#tlsServer.emit('connection', socket)
  }

  #createTlsServer(tls: TlsOptions): TlsServer {
    const server = createTlsServer(tls, socket => this.#secured(socket))
    server.on('tlsClientError', (error, socket) => this.#notSecured(error, socket))
    return server
  }

  /** Node closes a client whose certificate is no good without an error of its own; what was wrong it keeps. */
  #notSecured(error: Error, socket: TLSSocket): void {
    const { metrics, strangers, name } = this.#options
    metrics.error('tls handshake')
    const peer = this.#peers.get(rawOf(socket))
    const client = peer && `${peer.ip}:${peer.port}`
    const verdict = socket.authorizationError as Error | string | null | undefined
    if (verdict != null) {
      const code = String(verdict)
      strangers.warn({ listener: name, client, details: { reason: verdictOf(code), code } }, 'TLS handshake failed')
    } else {
      const reason = handshakeFailure(error)
      const details = reason === undefined ? {} : { details: { reason } }
      strangers.info({ listener: name, client, err: error, ...details }, 'TLS handshake failed')
    }
    socket.destroy()
  }

  #secured(socket: TLSSocket): void {
    const ends = endsOf(socket)
    const shaken = this.#shaking.get(ends)
    this.#shaking.delete(ends)
    if (shaken === undefined) return void socket.destroy()
    this.#handOver(shaken.raw, socket, shaken.peer)
  }

  #handOver(raw: Socket, socket: Socket | TLSSocket, peer: Pending): void {
    this.#arriving.delete(raw)
    this.#options.onArrival({ socket, ...peer })
  }

  #turnAway(socket: Socket, peer: Pending, reason: string): void {
    const { metrics, strangers, name } = this.#options
    metrics.error(reason)
    strangers.info({ listener: name, client: `${peer.ip}:${peer.port}`, details: { reason } }, 'connection turned away')
    socket.destroy()
  }
}

/** What Node keeps for itself: the TCP socket below a TLS socket. Nothing else of it is left when a handshake fails. */
const rawOf = (socket: TLSSocket): object => (socket as { readonly _parent?: Socket })._parent ?? socket

/** The four ends of a connection: the TLS socket that wraps a TCP socket has the same ones. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}

/** A dual-stack socket shows IPv4 clients as ::ffff:a.b.c.d. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

function cannotBind(name: string, host: string, port: number, cause: Error): VkitmError {
  const { code } = cause as NodeJS.ErrnoException
  const why =
    code === 'EADDRINUSE'
      ? 'another process has the port: stop it, or choose another under bind or brokerPorts'
      : code === 'EADDRNOTAVAIL'
        ? 'this machine has no such address'
        : code === 'EACCES'
          ? 'this user may not bind ports below 1024'
          : cause.message
  return new VkitmError('VKITM_BIND', `listener ${name} cannot bind ${host}:${port}: ${why}`, { cause })
}
