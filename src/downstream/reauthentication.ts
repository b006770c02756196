/**
 * KIP-368 as a stage: a client logs in again on its connection, as whom it was; a login that ended lets nothing through.
 * While a client logs in again the session looks at nothing else of it.
 */
import type { Client, Exchange } from '../pipeline/exchange.ts'
import { type ApiHandler, close, type RequestOutcome, respond, type Stage, unchanged } from '../pipeline/stage.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { SaslAuthenticateRequest } from '../protocol/generated/sasl-authenticate-request.ts'
import type { SaslHandshakeRequest } from '../protocol/generated/sasl-handshake-request.ts'
import { authenticateResponse, type LoggedIn, Login, type LoginContext } from './login.ts'

export interface ReauthenticationContext extends LoginContext {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** How much longer than its login a client may go on. */
  readonly graceMs: number
}

interface Standing {
  loggedIn: LoggedIn
  sinceMs: number
  endsAtMs: number
  again: Login | undefined
}

/** Kafka's: who logs in more often than that is not let off its other requests. */
const intervalMsMin = 1_000

export class Reauthentication implements Stage {
  readonly name = 'reauthentication'
  readonly #context: ReauthenticationContext
  readonly #standings = new WeakMap<Client, Standing>()

  constructor(context: ReauthenticationContext) {
    this.#context = context
  }

  /** From here on the client is held to how long its login lasts. */
  begin(client: Client, loggedIn: LoggedIn): void {
    const standing: Standing = { loggedIn, sinceMs: 0, endsAtMs: 0, again: undefined }
    this.#standings.set(client, standing)
    this.#renew(standing, loggedIn)
  }

  handler(apiKey: number): ApiHandler {
    if (apiKey === ApiKey.SaslHandshake) return { request: (body, exchange) => this.#handshake(body, exchange) }
    if (apiKey === ApiKey.SaslAuthenticate) return { request: (body, exchange) => this.#authenticate(body, exchange) }
    return { request: (_, exchange) => this.#pass(exchange, apiKey) }
  }

  #pass({ client }: Exchange, apiKey: number): RequestOutcome {
    const standing = this.#standings.get(client)
    // Asked before the login, ApiVersions goes through the stages as well; it is not forwarded then.
    if (standing === undefined) return apiKey === ApiKey.ApiVersions ? unchanged : close('without login')
    if (standing.again !== undefined) return close('a request in the middle of a login')
    return this.#context.now() > standing.endsAtMs ? close('login expired') : unchanged
  }

  #handshake(body: unknown, { client, header }: Exchange): RequestOutcome {
    const standing = this.#standings.get(client)
    if (standing === undefined) return close('without login')
    if (header.apiVersion === 0) return close('a login without SaslAuthenticate on a running connection')
    if (standing.again !== undefined || this.#context.now() - standing.sinceMs < intervalMsMin)
      return respond({ errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] })
    const again = new Login(this.#context, client, standing.loggedIn)
    const { response, closes } = again.handshake((body as SaslHandshakeRequest).mechanism)
    if (!closes) standing.again = again
    return { kind: 'respond', response, closes }
  }

  async #authenticate(body: unknown, { client }: Exchange): Promise<RequestOutcome> {
    const standing = this.#standings.get(client)
    if (standing?.again === undefined) return close('SaslAuthenticate without SaslHandshake')
    const answer = await standing.again.authenticate((body as SaslAuthenticateRequest).authBytes)
    if (answer.isSilent === true) return close('too many logins that failed or that wait')
    if (answer.loggedIn !== undefined) this.#renew(standing, answer.loggedIn)
    return { kind: 'respond', response: authenticateResponse(answer), closes: answer.closes }
  }

  #renew(standing: Standing, loggedIn: LoggedIn): void {
    const { now, graceMs } = this.#context
    standing.loggedIn = loggedIn
    standing.again = undefined
    standing.sinceMs = now()
    standing.endsAtMs = loggedIn.lifetimeMs === 0 ? Number.POSITIVE_INFINITY : now() + loggedIn.lifetimeMs + graceMs
  }
}
