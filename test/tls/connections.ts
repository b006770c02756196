// Live TLS on loopback: a server of ours that greets, and clients of every kind that knock.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ConnectionOptions, connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { finish } from '../support/child-process.ts'

export interface Running {
  readonly port: number
  readonly sockets: TLSSocket[]
  /** All that clients sent after their handshakes. */
  readonly received: Buffer[]
  /** What went wrong before a handshake was done. */
  readonly failures: Error[]
  close(): Promise<void>
}

/** Hands each finished handshake to `greet`, whose answer is sent; where it throws, the connection is closed. */
export async function serve(
  options: TlsOptions,
  greet: (socket: TLSSocket) => string = () => 'hello',
): Promise<Running> {
  const sockets: TLSSocket[] = []
  const received: Buffer[] = []
  const failures: Error[] = []
  const server = createServer(options, socket => {
    sockets.push(socket)
    socket.on('error', error => failures.push(error))
    socket.on('data', (bytes: Buffer) => received.push(bytes))
    try {
      socket.write(`${greet(socket)}\n`)
    } catch (error) {
      failures.push(error as Error)
      socket.destroy()
    }
  })
  server.on('tlsClientError', (error, socket) => {
    failures.push(error)
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const running: Running = {
    port: (server.address() as AddressInfo).port,
    sockets,
    received,
    failures,
    async close() {
      if (!open.delete(running)) return
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  open.add(running)
  return running
}

const open = new Set<Running>()

/** For `after`: a test that failed half-way must not keep the process. */
export async function closeAll(): Promise<void> {
  for (const running of open) await running.close()
}

export interface Visit {
  /** The first line the server sent; absent where the connection ended without one. */
  readonly greeting?: string
  readonly error?: NodeJS.ErrnoException
  readonly protocol?: string | null
  readonly cipher?: string
  readonly resumed?: boolean
  readonly session?: Buffer
}

/** Connects, reads one line and the ticket that comes with it, leaves. */
export function visit(options: ConnectionOptions): Promise<Visit> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', ...options })
    let [text, session]: [string, Buffer | undefined] = ['', undefined]
    const leave = () => {
      if (socket.destroyed) return
      const seen = {
        protocol: socket.getProtocol(),
        cipher: socket.getCipher().name,
        resumed: socket.isSessionReused(),
      }
      resolve({ greeting: text.trim(), ...seen, ...(session && { session }) })
      socket.destroy()
    }
    socket.setEncoding('utf8').on('session', ticket => {
      session = ticket
      if (text.endsWith('\n')) leave()
    })
    socket.on('data', chunk => {
      text += chunk
      // Where no new ticket comes, as on a session of TLS 1.2 resumed, the line is all there is to wait for.
      if (text.endsWith('\n')) setTimeout(leave, session ? 0 : 100)
    })
    socket.on('error', error => resolve({ error }))
    socket.on('close', () => resolve({}))
  })
}

/** `openssl s_client`, which needs no permission to be old-fashioned. */
export async function sClient(port: number, args: string, input = ''): Promise<string> {
  const words = `s_client -connect 127.0.0.1:${port} ${args}`.trim().split(/\s+/)
  const { stdout, stderr } = await finish('openssl', words, { input, timeoutMs: 20_000 })
  return stdout + stderr
}
