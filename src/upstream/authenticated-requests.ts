/** The gateway's own questions at a broker that asks for a login; logs in again between two of them. */
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestByKey, ResponseByKey } from '../protocol/codec.ts'
import type { LoginOptions } from './authenticated-connection.ts'
import { againAfterMs, logIn } from './broker-login.ts'
import type { BrokerRequests } from './broker-requests.ts'

export interface AuthenticatedRequestsOptions {
  readonly requests: BrokerRequests
  readonly login: LoginOptions
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export class AuthenticatedRequests {
  readonly #options: AuthenticatedRequestsOptions
  #againAtMs = 0
  #loggingIn: Promise<void> | undefined

  private constructor(options: AuthenticatedRequestsOptions) {
    this.#options = options
  }

  static async open(options: AuthenticatedRequestsOptions): Promise<AuthenticatedRequests> {
    const opened = new AuthenticatedRequests(options)
    await opened.#ensure()
    return opened
  }

  get isClosed(): boolean {
    return this.#options.requests.isClosed
  }

  async ask<Key extends ApiKey>(key: Key, version: number, body: RequestByKey[Key]): Promise<ResponseByKey[Key]> {
    if (this.#loggingIn !== undefined || this.#options.now() >= this.#againAtMs) await this.#ensure()
    return this.#options.requests.ask(key, version, body)
  }

  close(): void {
    this.#options.requests.close()
  }

  #ensure(): Promise<void> {
    this.#loggingIn ??= this.#logIn()
      .catch(error => {
        this.close()
        throw error
      })
      .finally(() => {
        this.#loggingIn = undefined
      })
    return this.#loggingIn
  }

  async #logIn(): Promise<void> {
    const { requests, login, now } = this.#options
    const lifetimeMs = await logIn((key, version, body) => requests.ask(key, version, body), await login.begin())
    this.#againAtMs = lifetimeMs === 0 ? Number.POSITIVE_INFINITY : now() + againAfterMs(lifetimeMs, login.random)
  }
}
