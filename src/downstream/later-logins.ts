/**
 * Later logins of clients whose first one was passed on (KIP-368), as a stage: they are passed on as well, but only as
 * the same one. Who guesses here guesses its own password, so that only the broker slows it down.
 */
import type { Client, Exchange } from '../pipeline/exchange.ts'
import {
  type ApiHandler,
  close,
  type RequestOutcome,
  type ResponseOutcome,
  type Stage,
  unchanged,
} from '../pipeline/stage.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { SaslAuthenticateRequest } from '../protocol/generated/sasl-authenticate-request.ts'
import type { SaslAuthenticateResponse } from '../protocol/generated/sasl-authenticate-response.ts'
import type { SaslHandshakeRequest } from '../protocol/generated/sasl-handshake-request.ts'
import type { SaslHandshakeResponse } from '../protocol/generated/sasl-handshake-response.ts'
import type { LoginContext } from './login.ts'
import type { Relayed } from './passthrough.ts'
import { RelayedLogin } from './relayed-login.ts'

interface Known extends Pick<Relayed, 'name' | 'mechanism'> {
  again: RelayedLogin | undefined
}

export class LaterLogins implements Stage {
  readonly name = 'later logins'
  readonly #known = new WeakMap<Client, Known>()
  readonly #onFailed: LoginContext['onFailed']

  constructor(onFailed: LoginContext['onFailed']) {
    this.#onFailed = onFailed
  }

  begin(client: Client, { name, mechanism }: Relayed): void {
    this.#known.set(client, { name, mechanism, again: undefined })
  }

  handler(apiKey: number): ApiHandler | undefined {
    const response = (body: unknown, exchange: Exchange) => this.#answered(body as Answer, exchange)
    if (apiKey === ApiKey.SaslHandshake)
      return { request: (body, exchange) => this.#handshake(body as SaslHandshakeRequest, exchange), response }
    if (apiKey === ApiKey.SaslAuthenticate)
      return { request: (body, exchange) => this.#authenticate(body as SaslAuthenticateRequest, exchange), response }
    return undefined
  }

  #handshake({ mechanism }: SaslHandshakeRequest, { client, header }: Exchange): RequestOutcome {
    const known = this.#known.get(client)
    if (known === undefined) return close('a login before the first one')
    if (header.apiVersion === 0) return close('SaslHandshake 0 cannot be passed on')
    if (known.mechanism !== mechanism) return close('another mechanism than at first')
    if (known.again?.isOver === false) return close('a second SaslHandshake')
    known.again = new RelayedLogin(known.mechanism)
    return unchanged
  }

  #authenticate({ authBytes }: SaslAuthenticateRequest, { client }: Exchange): RequestOutcome {
    const known = this.#known.get(client)
    if (known?.again === undefined) return close('SaslAuthenticate without SaslHandshake')
    const flaw = known.again.pass(authBytes)
    if (flaw !== undefined) return close(flaw)
    return known.again.name === known.name ? unchanged : close('another principal than at first')
  }

  #answered(body: Answer, { client }: Exchange): ResponseOutcome {
    const known = this.#known.get(client)
    // Of the first login whoever passes it on tells.
    if (known?.again === undefined) return unchanged
    const { failure } = known.again.answered(body)
    if (failure !== undefined) this.#onFailed({ reason: failure, mechanism: known.mechanism }, client)
    return unchanged
  }
}

type Answer = SaslHandshakeResponse | SaslAuthenticateResponse
