/**
 * One client's connection to a node. Requests are recorded as they arrive and served one after the other, as Kafka
 * does: a long poll holds up what was sent after it.
 */
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { WireError } from '../errors.ts'
import { ApiKey, isApiKey } from '../protocol/api-key.ts'
import { decodeRequest, encodeResponse, type ResponseByKey } from '../protocol/codec.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { apiVersionsResponseDefaults } from '../protocol/generated/api-versions-response.ts'
import { readRequestHeader } from '../protocol/request-header.ts'
import { lengthPrefixBytes } from '../wire/frame.ts'
import { FrameSplitter } from '../wire/frame-splitter.ts'
import { Reader } from '../wire/reader.ts'
import type { ClusterState } from './cluster-state.ts'
import { type Call, hangUp, noAnswer } from './handler.ts'
import { handlers } from './handler-table.ts'
import { failEverywhere, type Misbehaviours, type Misdeed } from './misbehaviour.ts'
import type { Seen, SeenConnection, SeenRequest } from './seen.ts'

export interface ConnectionContext {
  readonly cluster: ClusterState
  readonly seen: Seen
  readonly misbehaviours: Misbehaviours
}

/** Key, version and correlation id. */
const headerBytesMin = 8
/** Kafka's own default of `socket.request.max.bytes`. */
const frameBytesMax = 100 * 1024 * 1024
/** Read ahead of the request that is being served. */
const queuedMax = 100

export class Connection {
  readonly #socket: Socket
  readonly #about: SeenConnection
  readonly #context: ConnectionContext
  readonly #splitter = new FrameSplitter({ payloadBytesMin: headerBytesMin, payloadBytesMax: frameBytesMax })
  readonly #queue: SeenRequest[] = []
  readonly #gone = new AbortController()
  #isServing = false

  constructor(socket: Socket, about: SeenConnection, context: ConnectionContext) {
    this.#socket = socket
    this.#about = about
    this.#context = context
    socket.on('data', chunk => this.#received(chunk))
    // What breaks a connection ends it: 'close' follows.
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#gone.abort())
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #received(chunk: Buffer): void {
    try {
      this.#splitter.push(chunk)
      for (let frame = this.#splitter.next(); frame !== undefined; frame = this.#splitter.next()) {
        this.#queue.push(this.#record(Buffer.concat(frame.chunks)))
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.destroy()
      return
    }
    if (this.#queue.length > queuedMax) this.#socket.pause()
    if (!this.#isServing) void this.#serveAll()
  }

  #record(bytes: Buffer): SeenRequest {
    const payload = bytes.subarray(lengthPrefixBytes)
    const header = readRequestHeader(new Reader(payload))
    const request = {
      connection: this.#about,
      header,
      bytes,
      ...this.#readBody(header.apiKey, header.apiVersion, payload),
    }
    this.#context.seen.add(request)
    return request
  }

  #readBody(apiKey: number, apiVersion: number, payload: Buffer): Pick<SeenRequest, 'body' | 'unknownTags'> {
    const unread = { body: undefined, unknownTags: 0 }
    if (!isApiKey(apiKey) || !this.#serves(apiKey, apiVersion)) return unread
    try {
      return decodeRequest(apiKey, payload)
    } catch (error) {
      if (error instanceof WireError) return unread
      throw error
    }
  }

  #serves(apiKey: number, apiVersion: number): boolean {
    const [min, max] = this.#context.cluster.served.get(apiKey) ?? [0, -1]
    return apiVersion >= min && apiVersion <= max
  }

  async #serveAll(): Promise<void> {
    this.#isServing = true
    for (let request = this.#queue.shift(); request !== undefined; request = this.#queue.shift()) {
      if (this.#socket.destroyed) break
      await this.#serve(request, this.#context.misbehaviours.take(request))
      if (this.#queue.length <= queuedMax / 2) this.#socket.resume()
    }
    this.#isServing = false
  }

  async #serve(request: SeenRequest, misdeed: Misdeed | undefined): Promise<void> {
    if (misdeed?.kind === 'drop') return this.destroy()
    if (misdeed?.kind === 'silence') return this.#untilGone()
    if (misdeed?.kind === 'delay') await this.#pause(misdeed.ms)
    if (misdeed?.kind === 'answer') {
      const answer = misdeed.answer(request)
      return this.#send(Buffer.isBuffer(answer) ? answer : this.#encode(request, answer))
    }
    if (misdeed?.kind === 'endless') return this.#sendEndlessly()
    const answer = await this.#handle(request, misdeed)
    if (answer === noAnswer) return
    if (answer === hangUp || misdeed?.kind === 'dropAnswer') return this.destroy()
    if (misdeed?.kind === 'amend') misdeed.amend(answer, request)
    await this.#sendFrame(this.#encode(request, answer), misdeed)
  }

  async #handle(request: SeenRequest, misdeed: Misdeed | undefined) {
    const { header, body } = request
    if (body === undefined) return this.#refuse(header.apiKey)
    const call: Call<never> = {
      cluster: this.#context.cluster,
      nodeId: this.#about.nodeId,
      version: header.apiVersion,
      clientId: header.clientId ?? '',
      clientHost: `/${this.#socket.remoteAddress}`,
      body: body as never,
      refusal: refusalOf(misdeed),
      gone: this.#gone.signal,
    }
    // Served without a handler: a test answers it.
    const answer = (await handlers.get(header.apiKey)?.handle(call)) ?? hangUp
    if (call.refusal !== undefined && typeof answer === 'object') failEverywhere(answer, call.refusal)
    return answer
  }

  /** KIP-511: a version of ApiVersions that we do not know is said to be one; anything else ends the connection. */
  #refuse(apiKey: number): ResponseByKey[typeof ApiKey.ApiVersions] | typeof hangUp {
    const served = this.#context.cluster.served.get(apiKey)
    if (apiKey !== ApiKey.ApiVersions || served === undefined) return hangUp
    const [minVersion, maxVersion] = served
    const apiKeys = [{ apiKey, minVersion, maxVersion }]
    return { ...apiVersionsResponseDefaults(), errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys }
  }

  #encode({ header, body }: SeenRequest, answer: ResponseByKey[ApiKey]): Buffer {
    const version = body === undefined ? 0 : header.apiVersion
    return Buffer.concat(encodeResponse(header.apiKey as ApiKey, version, header.correlationId, answer as never))
  }

  async #sendFrame(frame: Buffer, misdeed: Misdeed | undefined): Promise<void> {
    if (misdeed?.kind === 'truncate') {
      this.#socket.end(frame.subarray(0, misdeed.bytes))
      return this.#untilGone()
    }
    if (misdeed?.kind === 'oversize') frame.writeInt32BE(misdeed.bytes, 0)
    await this.#send(frame)
    if (misdeed?.kind === 'oversize') await this.#untilGone()
  }

  async #sendEndlessly(): Promise<void> {
    const prefix = Buffer.alloc(lengthPrefixBytes)
    prefix.writeInt32BE(0x7fffffff)
    await this.#send(prefix)
    const bytes = Buffer.alloc(64 * 1024)
    while (!this.#socket.destroyed) await this.#send(bytes)
  }

  /** Resolves when more may be written. */
  #send(bytes: Buffer): Promise<void> {
    return new Promise(resolve => {
      if (this.#socket.destroyed || this.#socket.write(bytes)) return resolve()
      const end = (): void => {
        this.#socket.off('drain', end)
        this.#gone.signal.removeEventListener('abort', end)
        resolve()
      }
      this.#socket.on('drain', end)
      this.#gone.signal.addEventListener('abort', end)
    })
  }

  #untilGone(): Promise<void> {
    return new Promise(resolve => {
      if (this.#gone.signal.aborted) resolve()
      else this.#gone.signal.addEventListener('abort', () => resolve())
    })
  }

  #pause(ms: number): Promise<void> {
    return Promise.race([delay(ms, undefined, { ref: false }), this.#untilGone()])
  }
}

function refusalOf(misdeed: Misdeed | undefined): ErrorCode | undefined {
  if (misdeed?.kind === 'wrongLeader') return ErrorCode.NOT_LEADER_OR_FOLLOWER
  return misdeed?.kind === 'error' ? misdeed.errorCode : undefined
}
