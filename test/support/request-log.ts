// Stands in front of a plaintext broker and writes down which requests reach it, by client id: who got through.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface SeenHeader {
  readonly apiKey: number
  readonly clientId: string | null
}

export interface RequestLog {
  readonly port: number
  readonly seen: readonly SeenHeader[]
  /** Connections without a whole request: a byte that is no request would show here. */
  readonly strayBytes: number
  close(): Promise<void>
}

export async function startRequestLog(port: number, brokerPort: () => number): Promise<RequestLog> {
  const seen: SeenHeader[] = []
  const sockets = new Set<Socket>()
  const rests = new Set<{ readonly length: () => number }>()
  const server = createServer(client => {
    const broker = connect({ host: '127.0.0.1', port: brokerPort() })
    const reader = new HeaderReader(header => seen.push(header))
    rests.add(reader)
    client.on('data', chunk => reader.add(chunk))
    client.pipe(broker)
    broker.pipe(client)
    for (const [one, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.once('close', () => {
        sockets.delete(one)
        other.destroySoon()
      })
    }
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port,
    seen,
    get strayBytes() {
      return [...rests].reduce((sum, { length }) => sum + length(), 0)
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

class HeaderReader {
  readonly #onHeader: (header: SeenHeader) => void
  #rest = Buffer.alloc(0)

  constructor(onHeader: (header: SeenHeader) => void) {
    this.#onHeader = onHeader
  }

  readonly length = (): number => this.#rest.length

  add(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    while (this.#rest.length >= 4 && this.#rest.length >= 4 + this.#rest.readInt32BE(0)) {
      const end = 4 + this.#rest.readInt32BE(0)
      this.#onHeader(headerOf(this.#rest.subarray(4, end)))
      this.#rest = this.#rest.subarray(end)
    }
  }
}

/** The client id stands at the same place in every version of the header. */
function headerOf(request: Buffer): SeenHeader {
  const length = request.readInt16BE(8)
  return { apiKey: request.readInt16BE(0), clientId: length < 0 ? null : request.toString('utf8', 10, 10 + length) }
}
