/**
 * A client that logs in at the broker itself: its own SaslHandshake and SaslAuthenticate are passed on, nothing else is,
 * and who it is follows from what the broker agreed to. The broker connection is then its session's.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { UpstreamError } from '../errors.ts'
import type { Exchange } from '../pipeline/exchange.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { SaslAuthenticateRequest } from '../protocol/generated/sasl-authenticate-request.ts'
import type { SaslAuthenticateResponse } from '../protocol/generated/sasl-authenticate-response.ts'
import type { SaslHandshakeRequest } from '../protocol/generated/sasl-handshake-request.ts'
import type { SaslHandshakeResponse } from '../protocol/generated/sasl-handshake-response.ts'
import { failureText, type Mechanism, mechanisms } from '../sasl/conversation.ts'
import { scramMechanisms } from '../sasl/scram-keys.ts'
import type { Frame } from '../wire/frame.ts'
import { type EarlyContext, type EarlyPeer, EarlyRequests } from './early-requests.ts'
import { authenticateResponse, type LoginContext, refusal } from './login.ts'
import { openBeforeLogin } from './login-gate.ts'
import { type BrokersWord, RelayedLogin } from './relayed-login.ts'
import { ignored, type Upstream, type UpstreamEvents } from './upstream.ts'

export interface PassthroughContext extends EarlyContext, Pick<LoginContext, 'guard' | 'onFailed'> {
  readonly pipeline: Pipeline
  readonly openLink: (nodeId: number | undefined, events: UpstreamEvents) => Promise<Upstream>
  /** For each answer of the broker. */
  readonly answerTimeoutMs: number
}

export interface Relayed {
  readonly name: string
  readonly mechanism: Mechanism
  /** Gives the broker connection to its session. */
  readonly adopt: (events: UpstreamEvents) => Upstream
}

export interface PassthroughEvents {
  readonly onLoggedIn: (relayed: Relayed, socket: Socket) => void
  readonly onClosed: () => void
}

export class Passthrough {
  readonly #socket: Socket
  readonly #peer: EarlyPeer
  readonly #context: PassthroughContext
  readonly #events: PassthroughEvents
  readonly #requests: EarlyRequests
  #link: Upstream | undefined
  #owner: UpstreamEvents
  #rejectAnswer: ((error: Error) => void) | undefined
  #login: RelayedLogin | undefined
  #endTurn: (() => void) | undefined
  #isHandedOver = false

  constructor(socket: Socket, peer: EarlyPeer, context: PassthroughContext, events: PassthroughEvents) {
    this.#socket = socket
    this.#peer = peer
    this.#context = context
    this.#events = events
    this.#owner = { onWritable: () => undefined, onClosed: () => this.destroy() }
    this.#requests = new EarlyRequests(socket, peer, context, {
      onFrame: frame => this.#request(frame),
      onClosed: () => this.#closed(),
    })
  }

  drain(): void {
    this.destroy()
  }

  destroy(): void {
    this.#requests.destroy()
  }

  #closed(): void {
    this.#endTurn?.()
    if (this.#isHandedOver) return
    this.#link?.destroy()
    this.#rejectAnswer?.(new Error('the connection was closed'))
    this.#events.onClosed()
  }

  async #request(frame: Frame): Promise<void> {
    const { pipeline, metrics } = this.#context
    const exchange = openBeforeLogin(frame, { pipeline, metrics, peer: this.#peer, requests: this.#requests })
    if (exchange === undefined) return
    const { apiKey, apiVersion } = exchange.header
    if (apiKey === ApiKey.ApiVersions) return this.#apiVersions(exchange)
    if (this.#isInTheClear(exchange)) return this.#refuseInTheClear(exchange)
    const flaw = this.#pass(exchange)
    if (flaw !== undefined) return this.#requests.refuse(flaw, { apiKey, apiVersion })
    const isTry = apiKey === ApiKey.SaslAuthenticate
    const mayTry = !isTry || (await this.#mayTry())
    if (this.#requests.isOver) return
    if (!mayTry) return this.#refuseHere(exchange)
    if (await this.#ask(exchange)) await this.#answered(exchange)
  }

  async #apiVersions(exchange: Exchange): Promise<void> {
    const outcome = await this.#context.pipeline.judgeRequest(exchange)
    if (outcome.kind === 'close') return this.#requests.refuse(outcome.reason)
    if (outcome.kind === 'respond') exchange.response = outcome.response
    else if (!(await this.#ask(exchange))) return
    this.#answer(exchange)
  }

  /** Whoever listens would have the password, or the token. */
  #isInTheClear({ header, request }: Exchange): boolean {
    if (this.#socket instanceof TLSSocket || header.apiKey !== ApiKey.SaslHandshake) return false
    const { mechanism } = request as SaslHandshakeRequest
    return mechanism === 'PLAIN' || mechanism === 'OAUTHBEARER'
  }

  #refuseInTheClear(exchange: Exchange): void {
    const { mechanism } = exchange.request as SaslHandshakeRequest
    const reason = `${mechanism} without TLS`
    this.#context.onFailed({ reason, mechanism: mechanism as Mechanism }, this.#peer)
    exchange.response = { errorCode: ErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms: [...scramMechanisms] }
    this.#answer(exchange)
    this.#requests.end()
  }

  /** What keeps a request of a login from being passed on. */
  #pass({ header, request }: Exchange): string | undefined {
    if (header.apiKey === ApiKey.SaslHandshake) return this.#begin(header.apiVersion, request as SaslHandshakeRequest)
    if (this.#login === undefined) return 'SaslAuthenticate without SaslHandshake'
    return this.#login.pass((request as SaslAuthenticateRequest).authBytes)
  }

  #begin(apiVersion: number, { mechanism: asked }: SaslHandshakeRequest): string | undefined {
    if (apiVersion === 0) return 'SaslHandshake 0 cannot be passed on'
    if (this.#login !== undefined) return 'a second SaslHandshake'
    const mechanism = mechanisms.find(known => known === asked)
    if (mechanism === undefined) return 'a mechanism that does not say who logs in'
    this.#login = new RelayedLogin(mechanism)
    return undefined
  }

  /** False also where it was closed meanwhile. A turn lasts no longer than the broker takes. */
  async #mayTry(): Promise<boolean> {
    const [{ guard }, { name, isJudged, isRefused }] = [this.#context, this.#login!]
    if (isJudged) await this.#waitForTurn(name!)
    return isRefused || !guard.isBlocked(this.#peer.ip, name)
  }

  async #waitForTurn(name: string): Promise<void> {
    const { guard, limits } = this.#context
    const tooLate = () => this.#requests.refuse('too many logins of one user at once')
    const timer = setTimeout(tooLate, limits.firstFrameTimeout)
    const end = await guard.judgedTurn(this.#peer.ip, name)
    clearTimeout(timer)
    if (this.#requests.isOver) end()
    else this.#endTurn = end
  }

  /** The broker does not hear of it. */
  async #refuseHere(exchange: Exchange): Promise<void> {
    const { mechanism } = this.#login!
    exchange.response = authenticateResponse(refusal(ErrorCode.SASL_AUTHENTICATION_FAILED, failureText(mechanism)))
    await this.#conclude({ kind: 'refused', failure: 'shut out for a minute after ten failures' }, exchange)
  }

  /**
   * Sets the broker's answer, if there is one that goes on. Unknown tags are dropped, so what is sent is always written
   * anew.
   */
  async #ask(exchange: Exchange): Promise<boolean> {
    const { pipeline, openLink } = this.#context
    this.#link ??= await openLink(this.#peer.nodeId, {
      onWritable: () => this.#owner.onWritable(),
      onClosed: error => this.#owner.onClosed(error),
    })
    if (this.#requests.isOver) {
      this.#link.destroy()
      return false
    }
    const outcome = await pipeline.judgeResponse(exchange, await this.#answerOf(exchange, this.#link))
    if (outcome.kind === 'close') this.#requests.refuse(outcome.reason)
    return !this.#requests.isOver
  }

  async #answerOf(exchange: Exchange, link: Upstream): Promise<Frame> {
    const { pipeline, answerTimeoutMs } = this.#context
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Frame>((resolve, reject) => {
        this.#rejectAnswer = reject
        timer = setTimeout(() => reject(tooSlow(answerTimeoutMs)), answerTimeoutMs)
        const onAnswer = (answer: Frame, held: { release(): void }): void => {
          held.release()
          resolve(answer)
        }
        link.send({ exchange, ...pipeline.encodeRequest(exchange), onAnswer })
      })
    } finally {
      clearTimeout(timer)
    }
  }

  #answered(exchange: Exchange): Promise<void> {
    const word = this.#login!.answered(exchange.response as SaslHandshakeResponse | SaslAuthenticateResponse)
    return this.#conclude(word, exchange)
  }

  async #conclude({ kind, failure }: BrokersWord, exchange: Exchange): Promise<void> {
    // A broker that has refused closes its side; the client is still to hear of it.
    if (kind === 'refused') this.#owner = ignored
    if (failure !== undefined && !(await this.#pay(failure))) return this.#requests.destroy()
    this.#answer(exchange)
    if (kind === 'refused') this.#requests.end()
    if (kind === 'agreed') this.#handOver()
  }

  /** Tells of a failure and has the client wait for it; false where it must be closed without a word. */
  #pay(reason: string): Promise<boolean> {
    const { guard, onFailed } = this.#context
    const { mechanism, name } = this.#login!
    onFailed({ reason, mechanism }, this.#peer)
    guard.failed(this.#peer.ip, name)
    this.#endTurn?.()
    return guard.delay(this.#peer.ip)
  }

  #answer(exchange: Exchange): void {
    this.#requests.write(this.#context.pipeline.encodeResponse(exchange).chunks)
  }

  #handOver(): void {
    const [link, { name, mechanism }] = [this.#link!, this.#login!]
    this.#context.guard.succeeded(this.#peer.ip, name!)
    this.#endTurn?.()
    this.#isHandedOver = true
    if (!this.#requests.release()) {
      link.destroy()
      return this.#events.onClosed()
    }
    const adopt = (events: UpstreamEvents): Upstream => {
      this.#owner = events
      return link
    }
    this.#events.onLoggedIn({ name: name!, mechanism, adopt }, this.#socket)
  }
}

const tooSlow = (ms: number): UpstreamError =>
  new UpstreamError('VKITM_UPSTREAM_SILENT', `no answer to a login from the broker within ${ms} ms`, {
    retriable: true,
  })
