/**
 * A broker connection that has logged in and logs in again before its login ends. Between SaslHandshake and the last
 * SaslAuthenticate a broker takes nothing else on the connection, so what is sent meanwhile waits its turn here.
 */
import { UpstreamError, WireError } from '../errors.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import { decodeResponse, encodeRequest, type RequestByKey, type ResponseByKey } from '../protocol/codec.ts'
import type { SaslClientSession } from '../sasl/conversation.ts'
import { lengthPrefixBytes } from '../wire/frame.ts'
import type { BrokerConnection, OutgoingFrame } from './broker-connection.ts'
import type { LinkEvents } from './broker-links.ts'
import { againAfterMs, logIn } from './broker-login.ts'
import { gatewayClientId } from './broker-requests.ts'

export interface LoginOptions {
  /** Begins a conversation; asked anew for every login, so that tokens and passwords can change. */
  readonly begin: () => Promise<SaslClientSession>
  /** For each login, once there is something to log in with. */
  readonly timeoutMs: number
  readonly random: () => number
}

export class AuthenticatedConnection {
  readonly #options: LoginOptions
  readonly #events: LinkEvents
  readonly #connection: BrokerConnection
  readonly #waiting: OutgoingFrame[] = []
  /** Rejects the question that is under way. */
  #fail: ((error: Error) => void) | undefined
  #failure: Error | undefined
  #isLoggingIn = true
  #isEnding = false
  #isReady = false
  #correlationId = 0
  #timer: NodeJS.Timeout | undefined

  private constructor(options: LoginOptions, events: LinkEvents, wrap: (events: LinkEvents) => BrokerConnection) {
    this.#options = options
    this.#events = events
    this.#connection = wrap({
      onWritable: () => {
        if (!this.#isLoggingIn) events.onWritable()
      },
      onClosed: error => this.#closed(error),
    })
  }

  /** Rejects with what went wrong, and nothing is left open then. */
  static async open(
    options: LoginOptions,
    events: LinkEvents,
    wrap: (events: LinkEvents) => BrokerConnection,
  ): Promise<AuthenticatedConnection> {
    const link = new AuthenticatedConnection(options, events, wrap)
    try {
      await link.#logIn()
    } catch (error) {
      link.#connection.destroy()
      throw error
    }
    link.#isReady = true
    return link
  }

  get isWritable(): boolean {
    return !this.#isLoggingIn && this.#connection.isWritable
  }

  get isReading(): boolean {
    return this.#connection.isReading
  }

  get partialBytes(): number {
    return this.#connection.partialBytes
  }

  gather(): void {
    if (!this.#isLoggingIn) this.#connection.gather()
  }

  send(frame: OutgoingFrame): void {
    if (this.#isLoggingIn) this.#waiting.push(frame)
    else this.#connection.send(frame)
  }

  pauseReading(): void {
    this.#connection.pauseReading()
  }

  resumeReading(): void {
    this.#connection.resumeReading()
  }

  end(): void {
    this.#isEnding = true
    clearTimeout(this.#timer)
    if (!this.#isLoggingIn) this.#connection.end()
  }

  destroy(): void {
    this.#connection.destroy()
  }

  async #logIn(): Promise<void> {
    // Requests go on while a token is fetched.
    const session = await this.#options.begin()
    if (this.#failure !== undefined) throw this.#failure
    if (this.#isEnding) return
    this.#isLoggingIn = true
    const lifetimeMs = await this.#converse(session)
    if (this.#failure !== undefined) throw this.#failure
    this.#isLoggingIn = false
    if (lifetimeMs > 0 && !this.#isEnding) this.#schedule(lifetimeMs)
    for (const frame of this.#waiting.splice(0)) this.#connection.send(frame)
    if (this.#isEnding) this.#connection.end()
  }

  async #converse(session: SaslClientSession): Promise<number> {
    const { timeoutMs } = this.#options
    const timer = setTimeout(() => this.#closed(tooSlow(timeoutMs)), timeoutMs)
    try {
      return await logIn((key, version, body) => this.#ask(key, version, body), session)
    } finally {
      clearTimeout(timer)
    }
  }

  #schedule(lifetimeMs: number): void {
    const { random } = this.#options
    this.#timer = setTimeout(() => void this.#again(), againAfterMs(lifetimeMs, random))
    this.#timer.unref()
  }

  async #again(): Promise<void> {
    try {
      await this.#logIn()
      this.#events.onWritable()
    } catch (error) {
      this.#closed(error as Error)
    }
  }

  #ask<Key extends ApiKey>(key: Key, version: number, body: RequestByKey[Key]): Promise<ResponseByKey[Key]> {
    const correlationId = this.#correlationId++
    const chunks = encodeRequest(key, { apiVersion: version, correlationId, clientId: gatewayClientId }, body)
    const byteLength = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#fail = reject
      this.#connection.send({
        chunks,
        byteLength,
        onAnswer: (frame, held) => {
          try {
            const answer = decodeResponse(key, version, Buffer.concat(frame.chunks).subarray(lengthPrefixBytes))
            if (answer.correlationId !== correlationId) throw new WireError('answer to another request')
            resolve(answer.body)
          } catch (error) {
            reject(error as Error)
          } finally {
            held.release()
          }
        },
      })
    })
  }

  #closed(error: Error | undefined): void {
    if (this.#failure !== undefined) return
    this.#failure = error ?? closedByBroker()
    clearTimeout(this.#timer)
    for (const { held } of this.#waiting.splice(0)) held?.release()
    this.#connection.destroy()
    this.#fail?.(this.#failure)
    // Before it was opened, its opener hears of it.
    if (this.#isReady) this.#events.onClosed(error)
  }
}

const tooSlow = (ms: number): UpstreamError =>
  new UpstreamError('VKITM_UPSTREAM_SILENT', `no login at the broker within ${ms} ms`, { retriable: true })

const closedByBroker = (): UpstreamError =>
  new UpstreamError('VKITM_UPSTREAM_CLOSED', 'the broker closed the connection during the login', { retriable: true })
