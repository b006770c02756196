/**
 * One login that is passed on, from its SaslHandshake: which of the client's messages may go to the broker, and what
 * the broker made of them. Knows neither sockets nor frames.
 *
 *   broker's turn ──answer──▶ client's turn ──message──▶ broker's turn … ──▶ over
 *
 * The first message names the client; no other one does.
 */
import { ErrorCode, errorName } from '../protocol/error-code.ts'
import { claimedName } from '../sasl/claimed-name.ts'
import type { Mechanism } from '../sasl/conversation.ts'
import { parseClientFinal, parseServerFinal } from '../sasl/scram-messages.ts'

export interface BrokersWord {
  readonly kind: 'continue' | 'agreed' | 'refused'
  /** Why the login failed, in words of ours: once, though the client may have one more to say. */
  readonly failure?: string | undefined
}

/** As both SaslHandshake and SaslAuthenticate have it. */
interface Answer {
  readonly errorCode: number
  readonly authBytes?: Buffer
}

const nothing = Buffer.alloc(0)
/** What a client answers to an answer that refuses its token (RFC 7628, 3.2.3). */
const understood = Buffer.from([1])

export class RelayedLogin {
  readonly mechanism: Mechanism
  #turn: 'client' | 'broker' | 'over' = 'broker'
  #messages = 0
  #name: string | undefined
  #isTokenRefused = false

  /** SaslHandshake is passed on. */
  constructor(mechanism: Mechanism) {
    this.mechanism = mechanism
  }

  /** Whom the first message named; nobody has verified it before the broker agrees. */
  get name(): string | undefined {
    return this.#name
  }

  /** Told already: the client has one more word. */
  get isRefused(): boolean {
    return this.#isTokenRefused
  }

  get isOver(): boolean {
    return this.#turn === 'over'
  }

  /** The broker will judge by the message that was passed on last. */
  get isJudged(): boolean {
    return this.#messages === (this.mechanism.startsWith('SCRAM') ? 2 : 1)
  }

  /** Undefined where the message may be passed on, and is; else why not. */
  pass(authBytes: Buffer): string | undefined {
    if (this.#turn === 'over') return 'SaslAuthenticate after the end of a login'
    if (this.#turn === 'broker') return 'SaslAuthenticate before the answer to the request before it'
    this.#turn = 'broker'
    if (this.#messages++ > 0) return this.#isLast(authBytes) ? undefined : 'a login that begins anew in the middle'
    this.#name = claimedName(this.mechanism, authBytes)
    return this.#name === undefined ? 'a login that names nobody' : undefined
  }

  answered({ errorCode, authBytes = nothing }: Answer): BrokersWord {
    const word = this.#wordOf(errorCode, authBytes)
    this.#turn = word.kind === 'continue' ? 'client' : 'over'
    return word
  }

  #wordOf(errorCode: number, authBytes: Buffer): BrokersWord {
    if (this.#isTokenRefused) return { kind: 'refused' }
    // A broker's text may say anything; its code is one of Kafka's.
    if (errorCode !== ErrorCode.NONE) return refused(`refused by the broker: ${errorName(errorCode)}`)
    if (this.#messages === 0) return { kind: 'continue' }
    if (this.mechanism === 'PLAIN') return { kind: 'agreed' }
    if (this.mechanism === 'OAUTHBEARER') return this.#tokenWord(authBytes)
    if (this.#messages === 1) return { kind: 'continue' }
    return parseServerFinal(authBytes) === undefined ? refused('refused by the broker') : { kind: 'agreed' }
  }

  /** A token's refusal comes as an answer with words, and the client has one more. */
  #tokenWord(authBytes: Buffer): BrokersWord {
    if (authBytes.length === 0) return { kind: 'agreed' }
    this.#isTokenRefused = true
    return { kind: 'continue', failure: 'token refused by the broker' }
  }

  /** After a token that it refused, which need not be genuine, a broker would judge another one anew. */
  #isLast(authBytes: Buffer): boolean {
    return this.mechanism === 'OAUTHBEARER' ? authBytes.equals(understood) : parseClientFinal(authBytes) !== undefined
  }
}

const refused = (failure: string): BrokersWord => ({ kind: 'refused', failure })
