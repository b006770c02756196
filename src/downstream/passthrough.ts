/**
 * A client that logs in at the broker itself: its own SaslHandshake and SaslAuthenticate are passed on, nothing else is,
 * and who it is follows from what the broker agreed to. The broker connection is then its session's.
 */
import type { Socket } from 'node:net'
import type { Client, Exchange } from '../pipeline/exchange.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import {
  type ApiHandler,
  close,
  type RequestOutcome,
  type ResponseOutcome,
  type Stage,
  unchanged,
} from '../pipeline/stage.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode, errorName } from '../protocol/error-code.ts'
import type { SaslAuthenticateRequest } from '../protocol/generated/sasl-authenticate-request.ts'
import type { SaslAuthenticateResponse } from '../protocol/generated/sasl-authenticate-response.ts'
import type { SaslHandshakeRequest } from '../protocol/generated/sasl-handshake-request.ts'
import type { SaslHandshakeResponse } from '../protocol/generated/sasl-handshake-response.ts'
import { claimedName } from '../sasl/claimed-name.ts'
import { type Mechanism, mechanisms } from '../sasl/conversation.ts'
import type { Frame } from '../wire/frame.ts'
import { type EarlyContext, type EarlyPeer, EarlyRequests } from './early-requests.ts'
import type { LoginContext } from './login.ts'
import { openBeforeLogin } from './login-gate.ts'
import type { Upstream, UpstreamEvents } from './upstream.ts'

export interface PassthroughContext extends EarlyContext {
  readonly pipeline: Pipeline
  readonly onFailed: LoginContext['onFailed']
  readonly openLink: (nodeId: number | undefined, events: UpstreamEvents) => Promise<Upstream>
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
  #mechanism: Mechanism | undefined
  #name: string | undefined
  #agreements = 0
  #isHandedOver = false
  #isTold = false

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
    const flaw = this.#note(exchange)
    if (flaw !== undefined) return this.#requests.refuse(flaw, { apiKey, apiVersion })
    await this.#relay(exchange)
  }

  /** What keeps a request from being passed on. */
  #note({ header, request }: Exchange): string | undefined {
    if (header.apiKey === ApiKey.SaslHandshake) {
      if (header.apiVersion === 0) return 'SaslHandshake 0 cannot be passed on'
      if (this.#mechanism !== undefined) return 'a second SaslHandshake'
      const { mechanism } = request as SaslHandshakeRequest
      this.#mechanism = mechanisms.find(known => known === mechanism)
      if (this.#mechanism === undefined) return 'a mechanism that does not say who logs in'
    }
    if (header.apiKey !== ApiKey.SaslAuthenticate) return undefined
    if (this.#mechanism === undefined) return 'SaslAuthenticate without SaslHandshake'
    const { authBytes } = request as SaslAuthenticateRequest
    this.#name ??= claimedName(this.#mechanism, authBytes)
    if (this.#name === undefined) return 'a login that names nobody'
    const begun = { name: this.#name, mechanism: this.#mechanism, isTokenRefused: this.#isTold }
    return goesOn(begun, authBytes) ? undefined : 'another principal than at first'
  }

  async #relay(exchange: Exchange): Promise<void> {
    const { pipeline } = this.#context
    const outcome = exchange.header.apiKey === ApiKey.ApiVersions ? await pipeline.judgeRequest(exchange) : unchanged
    if (outcome.kind === 'close') return this.#requests.refuse(outcome.reason)
    if (outcome.kind === 'respond') exchange.response = outcome.response
    else await this.#ask(exchange)
    if (this.#requests.isOver) return
    this.#requests.write(pipeline.encodeResponse(exchange).chunks)
    this.#conclude(exchange)
  }

  /** Unknown tags are dropped, so what is sent is always written anew. */
  async #ask(exchange: Exchange): Promise<void> {
    const { pipeline, openLink } = this.#context
    this.#link ??= await openLink(this.#peer.nodeId, {
      onWritable: () => this.#owner.onWritable(),
      onClosed: error => this.#owner.onClosed(error),
    })
    if (this.#requests.isOver) return this.#link.destroy()
    const link = this.#link
    const frame = await new Promise<Frame>((resolve, reject) => {
      this.#rejectAnswer = reject
      const onAnswer = (answer: Frame, held: { release(): void }): void => {
        held.release()
        resolve(answer)
      }
      link.send({ exchange, ...pipeline.encodeRequest(exchange), onAnswer })
    })
    const outcome = await pipeline.judgeResponse(exchange, frame)
    if (outcome.kind === 'close') this.#requests.refuse(outcome.reason)
  }

  #conclude({ header, response }: Exchange): void {
    if (header.apiKey === ApiKey.SaslHandshake) {
      if ((response as SaslHandshakeResponse).errorCode !== ErrorCode.NONE) this.#refused(response)
      return
    }
    if (header.apiKey !== ApiKey.SaslAuthenticate) return
    const { errorCode, authBytes } = response as SaslAuthenticateResponse
    if (errorCode !== ErrorCode.NONE) return this.#refused(response)
    this.#agreements++
    if (!this.#isAgreed(authBytes)) return this.#tellOfToken()
    this.#isHandedOver = true
    const link = this.#link!
    if (!this.#requests.release()) {
      link.destroy()
      return this.#events.onClosed()
    }
    const adopt = (events: UpstreamEvents): Upstream => {
      this.#owner = events
      return link
    }
    this.#events.onLoggedIn({ name: this.#name!, mechanism: this.#mechanism!, adopt }, this.#socket)
  }

  #refused(response: unknown): void {
    this.#tell(refusalIn(response))
    this.#requests.end()
  }

  /** Whose token was refused has one more word, and may go without it. */
  #tellOfToken(): void {
    if (this.#mechanism === 'OAUTHBEARER') this.#tell(tokenRefused)
  }

  #tell(reason: string): void {
    if (this.#isTold) return
    this.#isTold = true
    this.#context.onFailed({ reason, mechanism: this.#mechanism }, this.#peer)
  }

  /** PLAIN ends with the first agreement, SCRAM with the second; a token's refusal comes as an answer with words. */
  #isAgreed(authBytes: Buffer): boolean {
    if (this.#mechanism === 'PLAIN') return true
    if (this.#mechanism === 'OAUTHBEARER') return authBytes.length === 0
    return this.#agreements === 2
  }
}

const tokenRefused = 'token refused by the broker'
/** What a client answers to that (RFC 7628, 3.2.3). */
const understood = Buffer.from([1])

/** The broker's text may say anything; its code is one of Kafka's. */
const refusalIn = (response: unknown): string =>
  `refused by the broker: ${errorName((response as { readonly errorCode: number }).errorCode)}`

interface Begun extends Pick<Relayed, 'name' | 'mechanism'> {
  /** By the broker, in the login under way. */
  isTokenRefused: boolean
}

/**
 * Is the message one of the login that began so? A broker judges each token anew: after one that it refused, which need
 * not be genuine, comes nothing but the word that this was understood. The last message of SCRAM names nobody either.
 */
function goesOn({ name, mechanism, isTokenRefused }: Begun, authBytes: Buffer): boolean {
  if (mechanism === 'OAUTHBEARER' && isTokenRefused) return authBytes.equals(understood)
  const claimed = claimedName(mechanism, authBytes)
  return claimed === undefined ? mechanism.startsWith('SCRAM') : claimed === name
}

/** Later logins on the same connection are passed on as well, but only as the same one. */
export class RelayedLogins implements Stage {
  readonly name = 'relayed logins'
  readonly #known = new WeakMap<Client, Begun>()
  readonly #onFailed: LoginContext['onFailed']

  constructor(onFailed: LoginContext['onFailed']) {
    this.#onFailed = onFailed
  }

  begin(client: Client, { name, mechanism }: Relayed): void {
    this.#known.set(client, { name, mechanism, isTokenRefused: false })
  }

  handler(apiKey: number): ApiHandler | undefined {
    if (apiKey === ApiKey.SaslHandshake) return { request: (body, exchange) => this.#handshake(body, exchange) }
    if (apiKey === ApiKey.SaslAuthenticate) {
      return {
        request: (body, exchange) => this.#authenticate(body, exchange),
        response: (body, exchange) => this.#answered(body, exchange),
      }
    }
    return undefined
  }

  #answered(body: unknown, { client }: Exchange): ResponseOutcome {
    const { errorCode, authBytes } = body as SaslAuthenticateResponse
    const known = this.#known.get(client)
    // Of the first login whoever relays it tells.
    if (known === undefined) return unchanged
    const { mechanism } = known
    if (errorCode !== ErrorCode.NONE) {
      if (!known.isTokenRefused) this.#onFailed({ reason: refusalIn(body), mechanism }, client)
    } else if (mechanism === 'OAUTHBEARER' && authBytes.length > 0) {
      known.isTokenRefused = true
      this.#onFailed({ reason: tokenRefused, mechanism }, client)
    }
    return unchanged
  }

  #handshake(body: unknown, { client, header }: Exchange): RequestOutcome {
    const { mechanism } = body as SaslHandshakeRequest
    if (header.apiVersion === 0) return close('SaslHandshake 0 cannot be passed on')
    const known = this.#known.get(client)
    if (known?.mechanism !== mechanism) return close('another mechanism than at first')
    known.isTokenRefused = false
    return unchanged
  }

  #authenticate(body: unknown, { client }: Exchange): RequestOutcome {
    const known = this.#known.get(client)
    if (known === undefined) return close('a login before the first one')
    if (goesOn(known, (body as SaslAuthenticateRequest).authBytes)) return unchanged
    return close('another principal than at first')
  }
}
