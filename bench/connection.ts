// One TLS connection of the load generator: writes prepared requests, pairs answers in order, counts exactly.
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import type { PreparedRequest } from './frames.ts'

export interface Endpoint {
  readonly port: number
  /** PEM of the certificate authority that signed the listener's certificate. */
  readonly ca: string
}

interface Pending {
  readonly correlationId: number
  readonly request: PreparedRequest
  readonly resolve: (responseBytes: number) => void
  readonly reject: (error: Error) => void
}

/** Error codes are looked for in this much of a response; the rest is counted and let go. */
const headBytes = 256

export class KafkaConnection {
  readonly socket: TLSSocket
  readonly #pending: Pending[] = []
  #nextCorrelationId = 1
  #head = Buffer.alloc(0)
  #bodyLeft = 0
  #bodyBytes = 0
  #failure: Error | undefined

  constructor(socket: TLSSocket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', chunk => this.#read(chunk))
    socket.on('error', error => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the connection was closed')))
  }

  static async open(endpoint: Endpoint): Promise<KafkaConnection> {
    return new KafkaConnection(await handshake(endpoint))
  }

  /** Sends the request and resolves with the response's size when all of it has arrived without an error code. */
  request(request: PreparedRequest): Promise<number> {
    if (this.#failure) return Promise.reject(this.#failure)
    const correlationId = this.#nextCorrelationId++
    const frame = Buffer.from(request.frame)
    frame.writeInt32BE(correlationId, 8)
    return new Promise((resolve, reject) => {
      this.#pending.push({ correlationId, request, resolve, reject })
      this.socket.write(frame)
    })
  }

  async close(): Promise<void> {
    this.#failure ??= new Error('closed by us')
    await closed(this.socket)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const pending of this.#pending.splice(0)) pending.reject(error)
  }

  #read(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.#bodyLeft === 0 && this.#head.length < 4) rest = this.#readLength(rest)
      else rest = this.#readBody(rest)
    }
  }

  #readLength(chunk: Buffer): Buffer {
    const missing = 4 - this.#head.length
    this.#head = Buffer.concat([this.#head, chunk.subarray(0, missing)])
    if (this.#head.length === 4) this.#bodyLeft = this.#bodyBytes = this.#head.readInt32BE(0)
    return chunk.subarray(missing)
  }

  #readBody(chunk: Buffer): Buffer {
    const part = chunk.subarray(0, this.#bodyLeft)
    const wanted = headBytes - this.#head.length
    if (wanted > 0) this.#head = Buffer.concat([this.#head, part.subarray(0, wanted)])
    this.#bodyLeft -= part.length
    if (this.#bodyLeft === 0) this.#answered()
    return chunk.subarray(part.length)
  }

  #answered(): void {
    const body = this.#head.subarray(4)
    this.#head = Buffer.alloc(0)
    const pending = this.#pending.shift()
    const problem = pending === undefined ? new Error('an answer to nothing') : problemOf(pending, body)
    if (problem === undefined) {
      pending?.resolve(this.#bodyBytes)
    } else {
      pending?.reject(problem)
      this.#destroy(problem)
    }
  }

  #destroy(error: Error): void {
    this.#fail(error)
    this.socket.destroy()
  }
}

function problemOf(pending: Pending, body: Buffer): Error | undefined {
  const correlationId = body.readInt32BE(0)
  if (correlationId !== pending.correlationId) {
    return new Error(`answer ${correlationId} came where ${pending.correlationId} was due`)
  }
  const codes = pending.request.errorOffsets.map(offset => body.readInt16BE(offset))
  return codes.every(code => code === 0) ? undefined : new Error(`error codes ${codes} in the answer`)
}

/** A full handshake: no session is offered for resumption. */
export async function handshake({ port, ca }: Endpoint): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, ca })
  await once(socket, 'secureConnect')
  return socket
}

export async function closed(socket: TLSSocket): Promise<void> {
  if (socket.closed) return
  const end = once(socket, 'close')
  socket.end()
  // A peer that never answers our end would hold the run.
  const timer = setTimeout(() => socket.destroy(), 2_000)
  await end
  clearTimeout(timer)
}
