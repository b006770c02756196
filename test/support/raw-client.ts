/** A client that says exactly what a test wants, byte by byte if need be, and hears every frame that comes back. */
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { ApiKey } from '../../src/protocol/api-key.ts'
import { decodeResponse, encodeRequest, type RequestByKey, type ResponseByKey } from '../../src/protocol/codec.ts'
import { FrameSplitter } from '../../src/wire/frame-splitter.ts'
import { until, within } from './until.ts'

export interface RawClientOptions {
  readonly host?: string
  readonly port: number
  /** Where the client comes from. */
  readonly localAddress?: string
  readonly tls?: ConnectionOptions
  readonly clientId?: string | null
}

export class RawClient {
  readonly socket: Socket
  /** Complete frames, the length prefix included, in the order of arrival. */
  readonly frames: Buffer[] = []
  /** All that came, frames or not. */
  receivedBytes = 0
  /** Resolves when the connection is over, whoever ended it and however. */
  readonly closed: Promise<void>
  /** Known once it is connected. */
  localPort: number | undefined
  isClosed = false
  readonly #clientId: string | null
  #correlationId = 0
  #nextFrame = 0

  constructor(socket: Socket, clientId: string | null) {
    this.socket = socket
    this.#clientId = clientId
    socket.once('connect', () => {
      this.localPort = socket.localPort
    })
    const splitter = new FrameSplitter({ payloadBytesMin: 0, payloadBytesMax: 2 ** 31 - 1 })
    socket.on('data', chunk => {
      this.receivedBytes += chunk.length
      splitter.push(chunk)
      for (let frame = splitter.next(); frame !== undefined; frame = splitter.next()) {
        this.frames.push(Buffer.concat(frame.chunks))
      }
    })
    // A reset is one of the ways to be closed.
    socket.on('error', () => undefined)
    this.closed = new Promise(resolve =>
      socket.on('close', () => {
        this.isClosed = true
        resolve()
      }),
    )
  }

  /** Sends a request; the answer is the next frame that nobody has waited for yet. */
  async ask<Key extends ApiKey>(key: Key, apiVersion: number, body: RequestByKey[Key]): Promise<ResponseByKey[Key]> {
    const { correlationId, answer } = this.send(key, apiVersion, body)
    const decoded = decodeResponse(key, apiVersion, (await answer()).subarray(4))
    if (decoded.correlationId !== correlationId) throw new Error('answer to another request')
    return decoded.body
  }

  /** Sends a request; `answer` gives the frame that comes back at its place. */
  send<Key extends ApiKey>(
    key: Key,
    apiVersion: number,
    body: RequestByKey[Key],
    correlationId: number = this.#correlationId++,
  ): { readonly correlationId: number; readonly answer: () => Promise<Buffer> } {
    this.socket.write(this.request(key, apiVersion, body, correlationId))
    const at = this.#nextFrame++
    return { correlationId, answer: () => this.frameAt(at) }
  }

  /** The bytes of a request, for tests that damage them. */
  request<Key extends ApiKey>(key: Key, apiVersion: number, body: RequestByKey[Key], correlationId = 0): Buffer {
    return Buffer.concat(encodeRequest(key, { apiVersion, correlationId, clientId: this.#clientId }, body))
  }

  async frameAt(at: number): Promise<Buffer> {
    await until(`answer ${at} of a client`, () => this.frames.length > at || this.isClosed)
    const frame = this.frames[at]
    if (frame === undefined) throw new Error(`the connection was closed before answer ${at}`)
    return frame
  }

  /** The gateway closes this connection, soon. */
  async expectClosed(timeoutMs = 10_000): Promise<void> {
    await within('the connection closes', this.closed, timeoutMs)
  }

  async close(): Promise<void> {
    this.socket.destroy()
    await this.closed
  }
}

export async function connectRaw({
  host = '127.0.0.1',
  port,
  localAddress,
  tls,
  clientId = 'test',
}: RawClientOptions): Promise<RawClient> {
  const from = localAddress === undefined ? {} : { localAddress }
  const socket =
    tls === undefined ? connectTcp({ host, port, noDelay: true, ...from }) : connectTls({ host, port, ...from, ...tls })
  const client = new RawClient(socket, clientId)
  await within(
    `a connection to ${host}:${port}`,
    new Promise<void>((resolve, reject) => {
      socket.once(tls === undefined ? 'connect' : 'secureConnect', resolve)
      socket.once('error', reject)
    }),
  )
  return client
}

/** A frame of any payload, true to its length. */
export function framed(payload: Buffer): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeInt32BE(payload.length)
  return Buffer.concat([prefix, payload])
}
