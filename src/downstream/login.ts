/**
 * SaslHandshake and SaslAuthenticate as Kafka answers them: one client's login, at the beginning of a connection or
 * again later (KIP-368). Knows neither sockets nor frames.
 */

import type { Client } from '../pipeline/exchange.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { SaslAuthenticateResponse } from '../protocol/generated/sasl-authenticate-response.ts'
import type { SaslHandshakeResponse } from '../protocol/generated/sasl-handshake-response.ts'
import {
  type Authenticated,
  failureText,
  type Mechanism,
  mechanisms,
  type SaslServerSession,
  type ServerStep,
} from '../sasl/conversation.ts'
import type { EarlyPeer } from './early-requests.ts'
import type { LoginGuard } from './login-guard.ts'

/** What all logins of a listener share. */
export interface LoginContext {
  /** In the order in which they are offered. */
  readonly mechanisms: readonly Mechanism[]
  readonly open: (mechanism: Mechanism) => SaslServerSession
  readonly guard: LoginGuard
  /** How long a login lasts; a token's end may come sooner. Absent: for the life of the connection. */
  readonly sessionLifetimeMs?: number | undefined
  /** Milliseconds of the wall clock, which tokens go by. */
  readonly wallClock: () => number
  readonly onFailed: (failure: LoginFailure, peer: LoginPeer) => void
}

/** Whose try it is. */
export type LoginPeer = EarlyPeer & Partial<Pick<Client, 'principal'>>

/** Words of ours; never text from the wire. */
export interface LoginFailure {
  readonly reason: string
  readonly mechanism?: Mechanism | undefined
  /** Only where there is such a user. */
  readonly user?: string | undefined
}

export interface LoggedIn extends Authenticated {
  readonly mechanism: Mechanism
  /** 0 where it lasts as long as the connection. */
  readonly lifetimeMs: number
}

export interface LoginAnswer {
  readonly authBytes: Buffer
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly loggedIn?: LoggedIn
  /** Nothing more to say: close, after this answer or (`isSilent`) without it. */
  readonly closes: boolean
  readonly isSilent?: boolean
}

interface Failure {
  readonly reason: string
  readonly name?: string
}

const none = Buffer.alloc(0)
const notWaiting = Promise.resolve(() => undefined)

export class Login {
  readonly #context: LoginContext
  readonly #peer: LoginPeer
  /** Who may come again: another name or mechanism is refused. */
  readonly #before: LoggedIn | undefined
  #session: SaslServerSession | undefined
  /** What it failed for is told and paid for; the client has one more word. */
  #isRefused = false

  constructor(context: LoginContext, peer: LoginPeer, before?: LoggedIn) {
    this.#context = context
    this.#peer = peer
    this.#before = before
  }

  get hasBegun(): boolean {
    return this.#session !== undefined
  }

  /** `closes` where the conversation cannot go on. */
  handshake(asked: string): { readonly response: SaslHandshakeResponse; readonly closes: boolean } {
    const enabled = this.#context.mechanisms
    const offered = this.#before === undefined ? enabled : enabled.filter(one => one === this.#before!.mechanism)
    if (this.#session !== undefined)
      return { response: { errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] }, closes: true }
    const mechanism = offered.find(one => one === asked)
    if (mechanism === undefined) {
      const known = mechanisms.find(one => one === asked)
      const reason = this.#before === undefined ? 'a mechanism that is not enabled' : 'another mechanism than at first'
      this.#context.onFailed({ reason, mechanism: known }, this.#peer)
      const response = { errorCode: ErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms: [...offered] }
      return { response, closes: true }
    }
    this.#session = this.#context.open(mechanism)
    return { response: { errorCode: ErrorCode.NONE, mechanisms: [...offered] }, closes: false }
  }

  async authenticate(clientBytes: Buffer): Promise<LoginAnswer> {
    const session = this.#session
    if (session === undefined) return refusal(ErrorCode.ILLEGAL_SASL_STATE, 'SaslHandshake comes first')
    const { guard } = this.#context
    const turn = session.mechanism === 'PLAIN' ? guard.hashTurn(this.#peer.ip) : notWaiting
    if (turn === undefined) return this.#turnedAway(session)
    const end = await turn
    const step = await stepOf(session, clientBytes).finally(end)
    if (step.kind === 'continue')
      return { authBytes: step.challenge, errorCode: ErrorCode.NONE, errorMessage: null, closes: false }
    if (step.kind === 'refused') return this.#refused(session, step)
    if (step.kind === 'failed') return this.#failed(session, step)
    const { name, expiresAtMs } = step
    // Who logs in again has shown before that it is not the one who guesses.
    if (this.#before?.name !== name && guard.isBlocked(this.#peer.ip, name))
      return this.#failed(session, { name, reason: 'shut out for a minute after ten failures' })
    const { mechanism } = session
    if (this.#before !== undefined && this.#before.name !== name) {
      const text = 'Cannot change principals during re-authentication'
      return this.#failed(session, { name, reason: 'another user than at first' }, text)
    }
    guard.succeeded(this.#peer.ip, name)
    const loggedIn = { name, expiresAtMs, mechanism, lifetimeMs: this.#lifetimeMs(expiresAtMs) }
    return { authBytes: step.challenge, errorCode: ErrorCode.NONE, errorMessage: null, loggedIn, closes: false }
  }

  #turnedAway({ mechanism }: SaslServerSession): LoginAnswer {
    this.#context.onFailed(
      { reason: 'too many of this address wait for a password to be looked at', mechanism },
      this.#peer,
    )
    return { ...refusal(ErrorCode.SASL_AUTHENTICATION_FAILED, failureText(mechanism)), isSilent: true }
  }

  async #failed(session: SaslServerSession, failure: Failure, text?: string): Promise<LoginAnswer> {
    const isSilent = !this.#isRefused && !(await this.#pay(session, failure))
    return { ...refusal(ErrorCode.SASL_AUTHENTICATION_FAILED, text ?? failureText(session.mechanism)), isSilent }
  }

  /** An answer that is a failure to whoever reads it. Clients that have read it may go without their last word. */
  async #refused(session: SaslServerSession, step: Failure & { readonly challenge: Buffer }): Promise<LoginAnswer> {
    const isSilent = !(await this.#pay(session, step))
    this.#isRefused = true
    return { authBytes: step.challenge, errorCode: ErrorCode.NONE, errorMessage: null, closes: isSilent, isSilent }
  }

  /** Tells of a failure and has the client wait for it; false where it must be closed without a word. */
  #pay({ mechanism, claimedName }: SaslServerSession, { reason, name: user }: Failure): Promise<boolean> {
    const { guard, onFailed } = this.#context
    onFailed({ reason, mechanism, user }, this.#peer)
    guard.failed(this.#peer.ip, claimedName)
    return guard.delay(this.#peer.ip)
  }

  /** 0 says that there is no end, so that what ends now is said to end in a millisecond. */
  #lifetimeMs(expiresAtMs: number | undefined): number {
    const { sessionLifetimeMs = Number.POSITIVE_INFINITY, wallClock } = this.#context
    const left = expiresAtMs === undefined ? Number.POSITIVE_INFINITY : Math.max(1, expiresAtMs - wallClock())
    const lifetimeMs = Math.min(sessionLifetimeMs, left)
    return Number.isFinite(lifetimeMs) ? Math.floor(lifetimeMs) : 0
  }
}

/** What a mechanism throws is its failure, whoever caused it: nobody is let in by an exception. */
async function stepOf(session: SaslServerSession, clientBytes: Buffer): Promise<ServerStep> {
  try {
    return await session.next(clientBytes)
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
  }
}

export const refusal = (errorCode: number, errorMessage: string): LoginAnswer => ({
  authBytes: none,
  errorCode,
  errorMessage,
  closes: true,
})

export function authenticateResponse(answer: LoginAnswer): SaslAuthenticateResponse {
  const { authBytes, errorCode, errorMessage, loggedIn } = answer
  return { authBytes, errorCode, errorMessage, sessionLifetimeMs: BigInt(loggedIn?.lifetimeMs ?? 0) }
}
