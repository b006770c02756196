/** One node's port: listens, with TLS where told to, and knows its connections. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { Connection, type ConnectionContext } from './connection.ts'
import type { SeenTls } from './seen.ts'

export interface NodeOptions {
  readonly id: number
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly tls: TlsOptions | undefined
  readonly context: ConnectionContext
  /** Numbers connections over the life of the cluster. */
  readonly nextConnection: () => number
}

export class EmbeddedNode {
  readonly id: number
  readonly host: string
  readonly #options: NodeOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #port = 0

  private constructor(options: NodeOptions) {
    this.id = options.id
    this.host = options.host
    this.#options = options
    this.#server =
      options.tls === undefined
        ? createServer({ noDelay: true }, socket => this.#connected(socket, undefined))
        : createTlsServer(options.tls, socket => this.#connected(socket, describeTls(socket)))
    // From the first byte on, so that a connection whose handshake is under way ends with the node, too.
    this.#server.on('connection', (socket: Socket) => this.#accepted(socket))
  }

  static async start(options: NodeOptions): Promise<EmbeddedNode> {
    const node = new EmbeddedNode(options)
    await node.#listen()
    return node
  }

  get port(): number {
    return this.#port
  }

  get connectionCount(): number {
    return this.#sockets.size
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): Promise<void> {
    return new Promise(resolve => {
      this.#server.close(() => resolve())
      this.dropConnections()
    })
  }

  #listen(): Promise<void> {
    const { host, port } = this.#options
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject)
        this.#port = (this.#server.address() as AddressInfo).port
        resolve()
      })
    })
  }

  #accepted(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #connected(socket: Socket, tls: SeenTls | undefined): void {
    const { id: nodeId, nextConnection, context } = this.#options
    new Connection(socket, { id: nextConnection(), nodeId, remotePort: socket.remotePort ?? 0, tls }, context)
  }
}

function describeTls(socket: TLSSocket): SeenTls {
  const certificate = socket.getPeerX509Certificate()
  return {
    protocol: socket.getProtocol(),
    subject: certificate?.subject,
    isAuthorized: socket.authorized,
    serverName: serverNameOf(socket),
  }
}

/** Node sets it and its types do not know it; false where the client sent none. */
function serverNameOf(socket: TLSSocket & { readonly servername?: string | false }): string | undefined {
  return socket.servername || undefined
}
