/** Answers leave in the order in which the requests came, however they were made. */

import type { Exchange } from '../pipeline/exchange.ts'
import type { Answer } from '../pipeline/pipeline.ts'
import { Queue } from '../queue.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { ByteBudget, Reservation } from '../wire/byte-budget.ts'

export type AnswerMetrics = Pick<Metrics, 'sentToClient' | 'upstreamMs' | 'gatewayMs'>

/** Less is not worth the count: `inFlight` bounds it. */
const countedFromBytes = 16 * 1024
/** What an item of a decoded request takes, or of an answer made of it, beside its bytes. */
const itemBytes = 150
/** Answers that wait for those of earlier requests; beyond it no further request is looked at. */
const waitingBytesMax = 512 * 1024
/** What decoded requests take that wait for their answers; beyond it no further request is looked at. */
const keptItemsMax = 20_000

export class PendingAnswer {
  readonly exchange: Exchange
  readonly receivedAtMs: number
  /** Handed to the broker's connection; 0 where the gateway answers by itself. */
  sentAtMs = 0
  answeredAtMs = 0
  /** How long the broker may take once it is this request's turn. */
  timeoutMs = Number.POSITIVE_INFINITY
  answer: Answer | undefined
  /** Held by the answer. */
  held: Reservation | undefined
  /** Held by the decoded request, which stages may look at until it is answered. */
  kept: Reservation | undefined

  constructor(exchange: Exchange, receivedAtMs: number) {
    this.exchange = exchange
    this.receivedAtMs = receivedAtMs
  }

  /** The request was sent, but its decoded form lives on. */
  keepRequest(budget: ByteBudget, byteLength: number): void {
    const keptBytes = byteLength + this.exchange.requestItems * itemBytes
    if (keptBytes >= countedFromBytes) this.kept = budget.hold(keptBytes)
  }

  /** The answer was made here, where nobody asked for room before it came. What it was made of is looked at no more. */
  keepAnswer(budget: ByteBudget, byteLength: number): void {
    this.exchange.request = undefined
    this.exchange.response = undefined
    if (byteLength >= countedFromBytes) this.held = budget.hold(byteLength)
  }

  /** Counts the answer as sent at `nowMs`. */
  measure(metrics: AnswerMetrics, byteLength: number, nowMs: number): void {
    const { key } = this.exchange.api
    metrics.sentToClient(byteLength)
    const waitedMs = this.sentAtMs === 0 ? 0 : this.answeredAtMs - this.sentAtMs
    if (this.sentAtMs !== 0) metrics.upstreamMs(key, waitedMs)
    metrics.gatewayMs(key, nowMs - this.receivedAtMs - waitedMs)
  }
}

export class PendingAnswers {
  readonly #entries = new Queue<PendingAnswer>()
  readonly #inFlight: number
  #waitingBytes = 0
  #keptItems = 0

  /** `inFlight`: requests that may wait for their answers. */
  constructor(inFlight: number) {
    this.#inFlight = inFlight
  }

  get isFull(): boolean {
    return (
      this.#entries.length >= this.#inFlight || this.#waitingBytes > waitingBytesMax || this.#keptItems > keptItemsMax
    )
  }

  get count(): number {
    return this.#entries.length
  }

  get first(): PendingAnswer | undefined {
    return this.#entries.first
  }

  /** With its answer, where that is there already. */
  push(entry: PendingAnswer, answer?: Answer): void {
    this.#entries.push(entry)
    this.#keptItems += entry.exchange.requestItems
    if (answer !== undefined) this.answered(entry, answer)
  }

  /** The answer of an entry is there, and leaves once those before it have left. */
  answered(entry: PendingAnswer, answer: Answer): void {
    entry.answer = answer
    this.#waitingBytes += answer.byteLength
  }

  get isFirstReady(): boolean {
    return this.first?.answer !== undefined
  }

  /** Removes and returns the first entry if its answer is there. */
  takeReady(): PendingAnswer | undefined {
    const answer = this.first?.answer
    if (answer === undefined) return undefined
    const entry = this.#entries.take()!
    this.#waitingBytes -= answer.byteLength
    this.#keptItems -= entry.exchange.requestItems
    return entry
  }

  /** The session is gone: gives back what its entries hold. */
  abandon(): void {
    for (const entry of this.#entries.takeAll()) {
      entry.held?.release()
      entry.kept?.release()
    }
  }
}
