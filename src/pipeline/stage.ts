/**
 * The one shape of everything that looks at messages: policies, interceptors, the rewriting of addresses. A stage says
 * once which APIs it wants; the order of the stages is a list in gateway/.
 */
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestByKey, ResponseByKey } from '../protocol/codec.ts'
import type { Exchange } from './exchange.ts'

export type RequestOutcome =
  /** Goes on; `changed` when the body is no longer what was received. */
  | {
      readonly kind: 'forward'
      readonly changed: boolean
      /** The client's last: what it was owed before is answered, then the connection is closed. */
      readonly isLast?: boolean
    }
  /** The gateway answers by itself; no broker sees the request. `closes`: once this answer has left. */
  | { readonly kind: 'respond'; readonly response: unknown; readonly closes?: boolean }
  /** No answer can be given: the connection is closed, as a broker would; at once, or after the answers before it. */
  | { readonly kind: 'close'; readonly reason: string; readonly afterAnswers?: boolean }

export type ResponseOutcome = Extract<RequestOutcome, { kind: 'forward' | 'close' }>

type Awaitable<T> = T | Promise<T>

/** What a stage does with one API. Either half may be missing. */
export interface ApiHandler<Request = unknown, Response = unknown> {
  request?(body: Request, exchange: Exchange): Awaitable<RequestOutcome>
  response?(body: Response, exchange: Exchange): Awaitable<ResponseOutcome>
}

export type HandlerOf<Key extends ApiKey> = ApiHandler<RequestByKey[Key], ResponseByKey[Key]>

export interface Stage {
  readonly name: string
  /** The handler for an API and version; undefined where this stage does not want it decoded. */
  handler(apiKey: number, apiVersion: number): ApiHandler | undefined
}

export const unchanged = Object.freeze({ kind: 'forward', changed: false } as const)
export const changed = Object.freeze({ kind: 'forward', changed: true } as const)
export const changedAndLast = Object.freeze({ kind: 'forward', changed: true, isLast: true } as const)

export const respond = (response: unknown): RequestOutcome => ({ kind: 'respond', response })
export const close = (reason: string): ResponseOutcome => ({ kind: 'close', reason })
export const closeAfterAnswers = (reason: string): RequestOutcome => ({ kind: 'close', reason, afterAnswers: true })
