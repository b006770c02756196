/**
 * A client before its login: it may ask for versions and log in, and no broker hears of it. What it becomes is told
 * once; its socket then belongs to a session.
 *
 *   greeting ──SaslHandshake 1──▶ authenticating ──SaslAuthenticate──▶ known
 *       └──────SaslHandshake 0──▶ raw ──tokens without a header──────────▲
 */
import type { Socket } from 'node:net'
import type { Exchange } from '../pipeline/exchange.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { ApiVersionsRequest } from '../protocol/generated/api-versions-request.ts'
import type { ApiVersionsResponse } from '../protocol/generated/api-versions-response.ts'
import type { SaslAuthenticateRequest } from '../protocol/generated/sasl-authenticate-request.ts'
import type { SaslHandshakeRequest } from '../protocol/generated/sasl-handshake-request.ts'
import { type Frame, lengthPrefixBytes } from '../wire/frame.ts'
import { type EarlyContext, type EarlyPeer, EarlyRequests } from './early-requests.ts'
import { authenticateResponse, type LoggedIn, Login, type LoginAnswer, type LoginContext } from './login.ts'
import { openBeforeLogin } from './login-gate.ts'

export interface AuthenticationContext extends EarlyContext, LoginContext {
  readonly pipeline: Pipeline
  /** What the gateway knows of the brokers' versions, now or soon; undefined where that takes too long. */
  readonly versions: () => Promise<ApiVersionsResponse | undefined>
}

export interface AuthenticationEvents {
  readonly onLoggedIn: (loggedIn: LoggedIn, socket: Socket) => void
  readonly onClosed: () => void
}

/** KIP-511: what brokers take for a name or a version of a client's software. */
const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

export class Authentication {
  readonly #socket: Socket
  readonly #peer: EarlyPeer
  readonly #context: AuthenticationContext
  readonly #events: AuthenticationEvents
  readonly #requests: EarlyRequests
  readonly #login: Login
  #isRaw = false
  #isHandedOver = false

  constructor(socket: Socket, peer: EarlyPeer, context: AuthenticationContext, events: AuthenticationEvents) {
    this.#socket = socket
    this.#peer = peer
    this.#context = context
    this.#events = events
    this.#login = new Login(context, peer)
    this.#requests = new EarlyRequests(socket, peer, context, {
      onFrame: frame => (this.#isRaw ? this.#rawToken(frame) : this.#request(frame)),
      onClosed: () => {
        if (!this.#isHandedOver) events.onClosed()
      },
    })
  }

  /** Whoever has not logged in yet is owed nothing. */
  drain(): void {
    this.#requests.destroy()
  }

  destroy(): void {
    this.#requests.destroy()
  }

  async #request(frame: Frame): Promise<void> {
    const { pipeline, metrics } = this.#context
    const exchange = openBeforeLogin(frame, { pipeline, metrics, peer: this.#peer, requests: this.#requests })
    if (exchange === undefined) return
    const { apiKey } = exchange.header
    if (apiKey === ApiKey.ApiVersions) return this.#apiVersions(exchange)
    if (apiKey === ApiKey.SaslHandshake) return this.#handshake(exchange)
    return this.#authenticate(exchange)
  }

  async #apiVersions(exchange: Exchange): Promise<void> {
    const { pipeline, versions } = this.#context
    const outcome = await pipeline.judgeRequest(exchange)
    if (outcome.kind === 'close') return this.#requests.refuse(outcome.reason)
    if (outcome.kind === 'respond') return this.#answer(exchange, outcome.response)
    const known = await versions()
    if (known === undefined) return this.#requests.refuse('the cluster is not known yet')
    const isValid = isSoftwareNamed(exchange)
    this.#answer(exchange, isValid ? known : { ...known, errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] })
  }

  async #handshake(exchange: Exchange): Promise<void> {
    const { response, closes } = this.#login.handshake((exchange.request as SaslHandshakeRequest).mechanism)
    this.#answer(exchange, response)
    if (closes) return this.#requests.end()
    this.#isRaw = exchange.header.apiVersion === 0
  }

  async #authenticate(exchange: Exchange): Promise<void> {
    const answer = await this.#login.authenticate((exchange.request as SaslAuthenticateRequest).authBytes)
    this.#conclude(answer, () => this.#answer(exchange, authenticateResponse(answer)))
  }

  /** SaslHandshake 0: tokens come and go with nothing but their length; what fails is closed without a word. */
  async #rawToken({ chunks }: Frame): Promise<void> {
    const answer = await this.#login.authenticate(Buffer.concat(chunks).subarray(lengthPrefixBytes))
    if (answer.closes) return this.#requests.end()
    const prefix = Buffer.alloc(lengthPrefixBytes)
    prefix.writeInt32BE(answer.authBytes.length)
    this.#conclude(answer, () => this.#requests.write([prefix, answer.authBytes]))
  }

  #conclude(answer: LoginAnswer, write: () => void): void {
    if (answer.isSilent === true) return this.#requests.destroy()
    write()
    if (answer.closes) return this.#requests.end()
    if (answer.loggedIn === undefined) return
    this.#isHandedOver = true
    if (this.#requests.release()) this.#events.onLoggedIn(answer.loggedIn, this.#socket)
    else this.#events.onClosed()
  }

  #answer(exchange: Exchange, response: unknown): void {
    exchange.response = response
    this.#requests.write(this.#context.pipeline.encodeResponse(exchange).chunks)
  }
}

function isSoftwareNamed({ header, request }: Exchange): boolean {
  const { clientSoftwareName: name, clientSoftwareVersion: version } = request as ApiVersionsRequest
  return header.apiVersion < 3 || (softwarePattern.test(name) && softwarePattern.test(version))
}
