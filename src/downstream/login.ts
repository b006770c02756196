/**
 * SaslHandshake and SaslAuthenticate as Kafka answers them: one client's login, at the beginning of a connection or
 * again later (KIP-368). Knows neither sockets nor frames.
 */

import { ErrorCode } from '../protocol/error-code.ts'
import type { SaslAuthenticateResponse } from '../protocol/generated/sasl-authenticate-response.ts'
import type { SaslHandshakeResponse } from '../protocol/generated/sasl-handshake-response.ts'
import {
  type Authenticated,
  failureText,
  type Mechanism,
  type SaslServerSession,
  type ServerStep,
} from '../sasl/conversation.ts'
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
  /** A name of ours for the log and the metrics; never text from the wire. */
  readonly onFailed: (reason: string, mechanism: Mechanism) => void
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

const none = Buffer.alloc(0)

export class Login {
  readonly #context: LoginContext
  readonly #ip: string
  /** Who may come again: another name or mechanism is refused. */
  readonly #before: LoggedIn | undefined
  #session: SaslServerSession | undefined

  constructor(context: LoginContext, ip: string, before?: LoggedIn) {
    this.#context = context
    this.#ip = ip
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
    const step = await stepOf(session, clientBytes)
    if (step.kind === 'continue')
      return { authBytes: step.challenge, errorCode: ErrorCode.NONE, errorMessage: null, closes: false }
    if (step.kind === 'failed') return this.#failed(session, step.reason)
    if (guard.isBlocked(this.#ip, step.name)) return this.#failed(session, 'too many failures')
    const { mechanism } = session
    if (this.#before !== undefined && this.#before.name !== step.name)
      return this.#failed(session, 'another principal', 'Cannot change principals during re-authentication')
    guard.succeeded(this.#ip, step.name)
    const { name, expiresAtMs } = step
    const loggedIn = { name, expiresAtMs, mechanism, lifetimeMs: this.#lifetimeMs(expiresAtMs) }
    return { authBytes: step.challenge, errorCode: ErrorCode.NONE, errorMessage: null, loggedIn, closes: false }
  }

  async #failed(session: SaslServerSession, reason: string, text?: string): Promise<LoginAnswer> {
    const { guard, onFailed } = this.#context
    onFailed(reason, session.mechanism)
    guard.failed(this.#ip, session.claimedName)
    const isSilent = !(await guard.delay(this.#ip))
    return { ...refusal(ErrorCode.SASL_AUTHENTICATION_FAILED, text ?? failureText(session.mechanism)), isSilent }
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

const refusal = (errorCode: number, errorMessage: string): LoginAnswer => ({
  authBytes: none,
  errorCode,
  errorMessage,
  closes: true,
})

export function authenticateResponse(answer: LoginAnswer): SaslAuthenticateResponse {
  const { authBytes, errorCode, errorMessage, loggedIn } = answer
  return { authBytes, errorCode, errorMessage, sessionLifetimeMs: BigInt(loggedIn?.lifetimeMs ?? 0) }
}
