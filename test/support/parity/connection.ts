/** One TLS connection that asks one request at a time and says how it ended: answered, closed, or silent. */
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { ApiKey } from '../../../src/protocol/api-key.ts'
import { decodeResponse, encodeRequest, type RequestByKey, type ResponseByKey } from '../../../src/protocol/codec.ts'
import type { SaslClientSession } from '../../../src/sasl/conversation.ts'
import { FrameSplitter } from '../../../src/wire/frame-splitter.ts'

export type Outcome<Key extends ApiKey = ApiKey> =
  | { readonly kind: 'answered'; readonly response: ResponseByKey[Key] }
  /** The peer closed the connection instead. */
  | { readonly kind: 'closed' }
  /** Nothing came for `answerTimeoutMs`. */
  | { readonly kind: 'silent' }
  /** Nothing came, as it should be, and the connection serves on. */
  | { readonly kind: 'unanswered' }

export interface Ask<Key extends ApiKey> {
  readonly key: Key
  readonly version: number
  readonly body: RequestByKey[Key]
}

export const answerTimeoutMs = 10_000

/** The client's name is part of member ids. */
export const clientId = 'parity'

export class Connection {
  readonly #socket: TLSSocket
  readonly #frames: Buffer[] = []
  #correlationId = 0
  #isClosed = false
  #wake: () => void = () => undefined

  private constructor(socket: TLSSocket) {
    this.#socket = socket
    const splitter = new FrameSplitter({ payloadBytesMin: 4, payloadBytesMax: 2 ** 31 - 1 })
    socket.on('data', chunk => {
      splitter.push(chunk)
      for (let frame = splitter.next(); frame !== undefined; frame = splitter.next()) {
        this.#frames.push(Buffer.concat(frame.chunks).subarray(4))
      }
      this.#wake()
    })
    // A reset is one of the ways to be closed.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#isClosed = true
      this.#wake()
    })
  }

  static async open(options: ConnectionOptions, login?: SaslClientSession): Promise<Connection> {
    const connection = await new Promise<Connection>((resolve, reject) => {
      const socket = connect(options, () => {
        socket.off('error', reject)
        resolve(new Connection(socket))
      })
      socket.setNoDelay(true)
      socket.once('error', reject)
    })
    if (login !== undefined) await connection.#logIn(login)
    return connection
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  async ask<Key extends ApiKey>(ask: Ask<Key>): Promise<Outcome<Key>> {
    const correlationId = this.#send(ask)
    const frame = await this.#nextFrame()
    if (frame === 'closed' || frame === 'silent') return { kind: frame }
    const decoded = decodeResponse(ask.key, ask.version, frame)
    if (decoded.correlationId !== correlationId) throw new Error('answer to another request')
    return { kind: 'answered', response: decoded.body }
  }

  /** Sends what nobody answers, and a question after it: brokers handle a connection's requests one by one. */
  async tell<Key extends ApiKey>(tell: Ask<Key>): Promise<Outcome<Key>> {
    this.#send(tell)
    const version = 0
    const empty = { clientSoftwareName: '', clientSoftwareVersion: '', clusterId: null, nodeId: -1 }
    const { kind } = await this.ask({ key: ApiKey.ApiVersions, version, body: empty })
    return { kind: kind === 'answered' ? 'unanswered' : kind }
  }

  async #logIn(session: SaslClientSession): Promise<void> {
    await this.#must({ key: ApiKey.SaslHandshake, version: 1, body: { mechanism: session.mechanism } })
    let message: Buffer | undefined = await session.first()
    while (message !== undefined) {
      const body = { authBytes: message }
      message = await session.next((await this.#must({ key: ApiKey.SaslAuthenticate, version: 2, body })).authBytes)
    }
  }

  async #must<Key extends typeof ApiKey.SaslHandshake | typeof ApiKey.SaslAuthenticate>(
    ask: Ask<Key>,
  ): Promise<ResponseByKey[Key]> {
    const outcome = await this.ask(ask)
    if (outcome.kind !== 'answered') throw new Error(`login: ${outcome.kind}`)
    if (outcome.response.errorCode !== 0) throw new Error(`login: error ${outcome.response.errorCode}`)
    return outcome.response
  }

  close(): void {
    this.#socket.destroy()
  }

  #send<Key extends ApiKey>({ key, version, body }: Ask<Key>): number {
    const correlationId = this.#correlationId++
    this.#socket.write(Buffer.concat(encodeRequest(key, { apiVersion: version, correlationId, clientId }, body)))
    return correlationId
  }

  async #nextFrame(): Promise<Buffer | 'closed' | 'silent'> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#wake()
    }, answerTimeoutMs)
    try {
      for (;;) {
        const frame = this.#frames.shift()
        if (frame !== undefined) return frame
        if (this.#isClosed) return 'closed'
        if (late) return 'silent'
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    } finally {
      clearTimeout(timer)
    }
  }
}
