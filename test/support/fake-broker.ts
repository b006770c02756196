/**
 * A broker that says what a test tells it to say: TCP or TLS, one scripted answer per API, and a record of every
 * request it got. It keeps no topic and no group; for that there is src/embedded/.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { allApis, describeApi } from '../../src/protocol/api-table.ts'
import { encodeResponse, type RequestByKey, type ResponseByKey } from '../../src/protocol/codec.ts'
import { apiVersionsResponseDefaults } from '../../src/protocol/generated/api-versions-response.ts'
import { metadataResponseDefaults } from '../../src/protocol/generated/metadata-response.ts'
import { type RequestHeader, readRequestHeader } from '../../src/protocol/request-header.ts'
import { FrameSplitter } from '../../src/wire/frame-splitter.ts'
import { Reader } from '../../src/wire/reader.ts'

/** The client id of the gateway's own questions. */
const gatewayClientId = 'vkitm'

export interface SeenRequest {
  readonly header: RequestHeader
  readonly body: unknown
  /** As received, the length prefix included. */
  readonly bytes: Buffer
  readonly socket: Socket
}

/** A body to encode, bytes to send as they are, or nothing. */
export type Reply = object | Buffer | undefined

type Script<Key extends ApiKey> = (
  body: RequestByKey[Key],
  seen: SeenRequest,
) => ResponseByKey[Key] | Buffer | undefined | Promise<ResponseByKey[Key] | Buffer | undefined>

export interface KnownBroker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export interface FakeBrokerOptions {
  readonly host?: string
  /** The default asks the system for a free one. */
  readonly port?: number
  readonly tls?: TlsOptions
  readonly clusterId?: string
}

export class FakeBroker {
  readonly host: string
  /** Brokers that its metadata names; itself as broker 0 unless a test says otherwise. */
  brokers: KnownBroker[] = []
  /** Requests of clients; the gateway's own are in `ownSeen`. */
  readonly seen: SeenRequest[] = []
  readonly ownSeen: SeenRequest[] = []
  /** Connections that are open now. */
  readonly sockets = new Set<Socket>()
  /** All that came over connections of clients, in the order of arrival; complete frames or not. */
  receivedBytes = 0
  /** Called with every connection before a byte is read. */
  onConnection: (socket: Socket) => void = () => undefined
  clusterId: string
  readonly #server: Server
  readonly #scripts = new Map<number, (body: never, seen: SeenRequest) => unknown>()
  readonly #options: FakeBrokerOptions

  constructor(options: FakeBrokerOptions) {
    this.#options = options
    this.host = options.host ?? '127.0.0.1'
    this.clusterId = options.clusterId ?? 'fake-cluster'
    this.#server =
      options.tls === undefined
        ? createServer({ noDelay: true }, socket => this.#accepted(socket))
        : createTlsServer(options.tls, socket => this.#accepted(socket))
    this.answer(ApiKey.ApiVersions, () => ({ ...apiVersionsResponseDefaults(), apiKeys: everything }))
    this.answer(ApiKey.Metadata, () => ({
      ...metadataResponseDefaults(),
      clusterId: this.clusterId,
      controllerId: this.brokers[0]?.nodeId ?? -1,
      brokers: this.brokers.map(broker => ({ ...broker, rack: null })),
    }))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get address(): { host: string; port: number } {
    return { host: this.host, port: this.port }
  }

  async listen(): Promise<void> {
    const { port = 0 } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host: this.host, port }, resolve)
    })
    if (this.brokers.length === 0) this.brokers = [{ nodeId: 0, ...this.address }]
  }

  /** What to say to one API from now on. */
  answer<Key extends ApiKey>(key: Key, script: Script<Key>): void {
    this.#scripts.set(key, script as (body: never, seen: SeenRequest) => unknown)
  }

  seenOf(key: number): SeenRequest[] {
    return this.seen.filter(({ header }) => header.apiKey === key)
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const socket of this.sockets) socket.destroy()
    await closed
  }

  #accepted(socket: Socket): void {
    this.sockets.add(socket)
    const splitter = new FrameSplitter({ payloadBytesMin: 1, payloadBytesMax: 2 ** 31 - 1 })
    // What a connection did to this broker is seen in `sockets` and `seen`; how it broke is the gateway's to tell.
    socket.on('error', () => undefined)
    socket.on('close', () => this.sockets.delete(socket))
    this.onConnection(socket)
    let answering = Promise.resolve()
    socket.on('data', chunk => {
      this.receivedBytes += chunk.length
      splitter.push(chunk)
      for (let frame = splitter.next(); frame !== undefined; frame = splitter.next()) {
        const seen = readRequest(Buffer.concat(frame.chunks), socket)
        if (seen.header.clientId === gatewayClientId) this.receivedBytes -= frame.byteLength
        ;(seen.header.clientId === gatewayClientId ? this.ownSeen : this.seen).push(seen)
        // One after the other, as Kafka does.
        answering = answering.then(() => this.#answer(seen))
      }
    })
  }

  async #answer(seen: SeenRequest): Promise<void> {
    const { header, body, socket } = seen
    const script = this.#scripts.get(header.apiKey)
    if (script === undefined) return
    const reply = (await script(body as never, seen)) as Reply
    if (reply === undefined || socket.destroyed) return
    if (Buffer.isBuffer(reply)) socket.write(reply)
    else socket.write(encoded(header, reply))
  }
}

export async function startFakeBroker(options: FakeBrokerOptions = {}): Promise<FakeBroker> {
  const broker = new FakeBroker(options)
  await broker.listen()
  return broker
}

/** The frame of an answer, for scripts that want to damage it. */
export function encoded({ apiKey, apiVersion, correlationId }: RequestHeader, body: object): Buffer {
  return Buffer.concat(encodeResponse(apiKey as ApiKey, apiVersion, correlationId, body as never))
}

function readRequest(bytes: Buffer, socket: Socket): SeenRequest {
  const reader = new Reader(bytes, { keepUnknownTags: true })
  reader.skip(4)
  const header = readRequestHeader(reader)
  const body = describeApi(header.apiKey)?.readRequest(reader, header.apiVersion)
  reader.expectEnd()
  return { header, body, bytes, socket }
}

/** Every API of Kafka 4.4, those of brokers among themselves included: what to hide of it is the gateway's task. */
const everything = allApis.map(({ key, minVersion, maxVersion }) => ({ apiKey: key, minVersion, maxVersion }))
