// One question to one node, in the codec's own words, for tests that look at a single answer.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { ApiKey } from '../../src/protocol/api-key.ts'
import { decodeResponse, encodeRequest, type RequestByKey, type ResponseByKey } from '../../src/protocol/codec.ts'
import { FrameSplitter } from '../../src/wire/frame-splitter.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

export interface Question<Key extends ApiKey> {
  readonly key: Key
  readonly version: number
  readonly body: RequestByKey[Key]
  readonly correlationId?: number
}

export class Asking {
  readonly socket: Socket
  readonly #splitter = new FrameSplitter({ payloadBytesMin: 4, payloadBytesMax: 1e9 })
  readonly #frames: Buffer[] = []
  #isClosed = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', chunk => {
      this.#splitter.push(chunk)
      for (let frame = this.#splitter.next(); frame; frame = this.#splitter.next()) {
        this.#frames.push(Buffer.concat(frame.chunks))
      }
      socket.emit('frames')
    })
    socket.on('close', () => {
      this.#isClosed = true
      socket.emit('frames')
    })
  }

  static async connect({ host, port }: Address): Promise<Asking> {
    const socket = connect({ host, port })
    await once(socket, 'connect')
    return new Asking(socket)
  }

  /** Sends and does not wait. */
  send<Key extends ApiKey>({ key, version: apiVersion, body, correlationId = 1 }: Question<Key>): void {
    for (const chunk of encodeRequest(key, { apiVersion, correlationId, clientId: 'asking' }, body)) {
      this.socket.write(chunk)
    }
  }

  /** The next frame without its prefix; undefined where the connection ended instead. */
  async frame(): Promise<Buffer | undefined> {
    while (this.#frames.length === 0 && !this.#isClosed) await once(this.socket, 'frames')
    return this.#frames.shift()?.subarray(4)
  }

  async ask<Key extends ApiKey>(question: Question<Key>): Promise<ResponseByKey[Key]> {
    this.send(question)
    const frame = await this.frame()
    if (frame === undefined) throw new Error('the node closed the connection')
    return decodeResponse(question.key, question.version, frame).body
  }

  close(): void {
    this.socket.destroy()
  }
}

export async function askOnce<Key extends ApiKey>(
  address: Address,
  question: Question<Key>,
): Promise<ResponseByKey[Key]> {
  const asking = await Asking.connect(address)
  try {
    return await asking.ask(question)
  } finally {
    asking.close()
  }
}
