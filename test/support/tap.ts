// Stands between clients and the gateway, port for port, ends TLS on both sides and shows a watch every byte that a
// client is sent. Clients cannot tell it from the gateway: the gateway advertises the tap's ports.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type Server, type TLSSocket } from 'node:tls'
import type { Certificate } from './certificates.ts'
import type { LeakWatch } from './leak-watch.ts'

export interface TapOptions {
  readonly certificate: Certificate
  /** Where the tap listens, and the gateway's port that lies behind. */
  readonly ports: readonly { readonly listen: number; readonly connect: number }[]
  readonly watch: LeakWatch
  /** Where clients show a certificate: whoever signs them, and the one with which the tap stands for a common name. */
  readonly clients?: { readonly ca: string; readonly certificateOf: (commonName: string) => Certificate }
}

export interface Tap {
  /** What went wrong with the tap itself or could not be decoded; a test that ends with any has seen nothing. */
  readonly failures: readonly string[]
  /** Connections of clients so far. */
  readonly accepted: number
  close(): Promise<void>
}

export async function startTap({ certificate, ports, watch, clients }: TapOptions): Promise<Tap> {
  const ca = readFileSync(certificate.ca)
  const asked = clients === undefined ? {} : { requestCert: true, ca: readFileSync(clients.ca) }
  const files = { ...pemsOf(certificate), ...asked }
  const sockets = new Set<TLSSocket>()
  const failures: string[] = []
  const servers: Server[] = []
  let accepted = 0
  for (const { listen, connect: port } of ports) {
    const server = createServer(files, client => {
      accepted++
      const shown = clients === undefined ? {} : pemsOf(clients.certificateOf(client.getPeerCertificate().subject.CN))
      const gateway = connect({ host: '127.0.0.1', port, ca, servername: 'localhost', ...shown })
      for (const socket of [client, gateway]) {
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
      }
      join(client, gateway, new Conversation(watch, text => failures.push(text)))
    })
    server.listen(listen, '127.0.0.1')
    await once(server, 'listening')
    servers.push(server)
  }
  return {
    failures,
    get accepted() {
      return accepted
    },
    async close() {
      const closed = [...servers, ...sockets].map(each => once(each, 'close'))
      for (const server of servers) server.close()
      for (const socket of sockets) socket.destroy()
      await Promise.all(closed)
    },
  }
}

function pemsOf({ certificate, key }: Certificate) {
  return { cert: readFileSync(certificate), key: readFileSync(key) }
}

function join(client: TLSSocket, gateway: TLSSocket, conversation: Conversation): void {
  client.on('data', chunk => conversation.fromClient(chunk))
  gateway.on('data', chunk => conversation.toClient(chunk))
  gateway.once('close', () => conversation.ended())
  client.pipe(gateway)
  gateway.pipe(client)
  // Whatever ends one side ends the other, as it would without the tap; tests kill brokers on purpose.
  for (const [one, other] of [
    [client, gateway],
    [gateway, client],
  ] as const) {
    one.on('error', () => other.destroy())
    one.once('close', () => other.destroySoon())
  }
}

/** One connection: requests name what their answers are. */
class Conversation {
  readonly #watch: LeakWatch
  readonly #fail: (text: string) => void
  readonly #requests = new Frames()
  readonly #responses = new Frames()
  readonly #asked = new Map<number, { key: number; version: number }>()

  constructor(watch: LeakWatch, fail: (text: string) => void) {
    this.#watch = watch
    this.#fail = fail
  }

  fromClient(chunk: Buffer): void {
    for (const frame of this.#requests.add(chunk)) {
      this.#asked.set(frame.readInt32BE(4), { key: frame.readInt16BE(0), version: frame.readInt16BE(2) })
    }
  }

  toClient(chunk: Buffer): void {
    for (const frame of this.#responses.add(chunk)) this.#response(frame)
  }

  /** Half a frame is bytes that the client was sent, too. */
  ended(): void {
    this.#watch.bytesToClient(this.#responses.rest(), 'the end of a connection')
  }

  #response(frame: Buffer): void {
    const correlationId = frame.readInt32BE(0)
    const asked = this.#asked.get(correlationId)
    this.#asked.delete(correlationId)
    if (asked === undefined) {
      this.#fail(`an answer to nothing: correlation id ${correlationId}`)
      this.#watch.bytesToClient(frame, 'an answer to nothing')
      return
    }
    try {
      this.#watch.response(asked.key, asked.version, frame)
    } catch (error) {
      this.#fail(`API ${asked.key} v${asked.version}: ${error}`)
    }
  }
}

/** Cuts a stream into frames without their prefixes. Its own, so that a mistake of the gateway's is not shared. */
class Frames {
  #chunks: Buffer[] = []
  #length = 0

  add(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    const frames: Buffer[] = []
    for (let size = this.#nextSize(); size !== undefined && this.#length >= 4 + size; size = this.#nextSize()) {
      const all = this.rest()
      frames.push(all.subarray(4, 4 + size))
      this.#chunks = [all.subarray(4 + size)]
      this.#length = all.length - 4 - size
    }
    return frames
  }

  rest(): Buffer {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
  }

  #nextSize(): number | undefined {
    if (this.#length < 4) return undefined
    if (this.#chunks[0]!.length < 4) this.#chunks = [this.rest()]
    return this.#chunks[0]!.readInt32BE(0)
  }
}
