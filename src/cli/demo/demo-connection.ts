/** A Kafka client's connection as the demo's client has it: one question at a time, and a memory of every byte that came back. */
import { connect, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { UpstreamError } from '../../errors.ts'
import type { ApiDescription } from '../../protocol/api-description.ts'
import { ApiKey, apiName } from '../../protocol/api-key.ts'
import { describeApi } from '../../protocol/api-table.ts'
import { decodeResponse, encodeRequest, type RequestByKey, type ResponseByKey } from '../../protocol/codec.ts'
import { apiVersionsRequestDefaults } from '../../protocol/generated/api-versions-request.ts'
import { lengthPrefixBytes } from '../../wire/frame.ts'
import { FrameSplitter } from '../../wire/frame-splitter.ts'

export interface Target {
  readonly host: string
  readonly port: number
  /** PEM of the authority to trust; absent: plaintext. */
  readonly ca?: string | undefined
  /** The client's own certificate. */
  readonly identity?: Identity | undefined
}

/** PEM. */
export interface Identity {
  readonly certificate: string
  readonly key: string
}

const answerMs = 10_000
const frameBounds = { payloadBytesMin: 4, payloadBytesMax: 64 * 1024 * 1024 }
const clientId = 'vkitm-demo'
/** Every broker since 2.4 knows it. */
const apiVersionsVersion = 3

export class DemoConnection {
  readonly socket: Socket
  readonly received: Buffer[] = []
  readonly #splitter = new FrameSplitter(frameBounds)
  readonly #versions = new Map<number, number>()
  #correlationId = 0
  #answered: ((answer: Buffer | Error) => void) | undefined

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', chunk => this.#read(chunk))
    socket.on('error', error => this.#answered?.(error))
    socket.on('close', () => this.#answered?.(broken('VKITM_DEMO_CLOSED', 'the connection was closed')))
  }

  /** Connects, shakes hands and asks for the versions of every API. */
  static async open(target: Target): Promise<DemoConnection> {
    const connection = new DemoConnection(await connected(target))
    const body = { ...apiVersionsRequestDefaults(), clientSoftwareName: clientId, clientSoftwareVersion: '1' }
    const { apiKeys } = await connection.#ask(ApiKey.ApiVersions, apiVersionsVersion, body)
    for (const { apiKey, maxVersion } of apiKeys) {
      const api = describeApi(apiKey)
      if (api !== undefined) connection.#versions.set(apiKey, Math.min(highestStable(api), maxVersion))
    }
    return connection
  }

  /** In the highest version that both sides know. */
  ask<Key extends ApiKey>(key: Key, body: RequestByKey[Key]): Promise<ResponseByKey[Key]> {
    const version = this.#versions.get(key)
    if (version !== undefined) return this.#ask(key, version, body)
    throw broken('VKITM_DEMO_API', `the other side does not offer ${apiName(key)}`)
  }

  close(): void {
    this.socket.destroy()
  }

  async #ask<Key extends ApiKey>(key: Key, apiVersion: number, body: RequestByKey[Key]): Promise<ResponseByKey[Key]> {
    const correlationId = ++this.#correlationId
    const chunks = encodeRequest(key, { apiVersion, correlationId, clientId }, body)
    const frame = await this.#exchange(Buffer.concat(chunks), apiName(key))
    return decodeResponse(key, apiVersion, frame).body
  }

  #exchange(request: Buffer, name: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const late = () => this.#answered?.(broken('VKITM_DEMO_SILENT', `no answer to ${name} within ${answerMs} ms`))
      const timer = setTimeout(late, answerMs)
      this.#answered = answer => {
        clearTimeout(timer)
        this.#answered = undefined
        if (Buffer.isBuffer(answer)) resolve(answer)
        else reject(answer)
      }
      if (this.socket.destroyed) this.#answered(broken('VKITM_DEMO_CLOSED', `the connection was closed before ${name}`))
      else this.socket.write(request)
    })
  }

  #read(chunk: Buffer): void {
    this.received.push(chunk)
    this.#splitter.push(chunk)
    for (let frame = this.#splitter.next(); frame !== undefined; frame = this.#splitter.next()) {
      this.#answered?.(Buffer.concat(frame.chunks).subarray(lengthPrefixBytes))
    }
  }
}

function highestStable({ maxVersion, latestVersionUnstable }: ApiDescription): number {
  return latestVersionUnstable ? maxVersion - 1 : maxVersion
}

function socketTo({ host, port, ca, identity }: Target): Socket {
  if (ca === undefined) return connect({ host, port })
  const own = identity === undefined ? {} : { cert: identity.certificate, key: identity.key }
  return connectTls({ host, port, ca: [ca], servername: host, minVersion: 'TLSv1.2', ...own })
}

function connected(target: Target): Promise<Socket> {
  const { host, port } = target
  return new Promise((resolve, reject) => {
    const socket = socketTo(target)
    socket.setTimeout(answerMs, () => socket.destroy(broken('VKITM_DEMO_SILENT', `${host}:${port} does not answer`)))
    socket.once('error', reject)
    socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
      socket.off('error', reject)
      socket.setTimeout(0)
      resolve(socket)
    })
  })
}

function broken(code: string, message: string): UpstreamError {
  return new UpstreamError(code, message, { retriable: false })
}
