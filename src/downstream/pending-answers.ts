/** Answers leave in the order in which the requests came, however they were made. */

import type { Exchange } from '../pipeline/exchange.ts'
import type { Answer } from '../pipeline/pipeline.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { Queue } from '../queue.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { ByteBudget, Reservation } from '../wire/byte-budget.ts'

export type AnswerMetrics = Pick<Metrics, 'sentToClient' | 'upstreamMs' | 'gatewayMs'>

/** Smaller requests are not worth the count: `inFlight` bounds them. */
const keptFromBytes = 4 * 1024
/** What a decoded request takes: most fields become objects several times their bytes, records stay the received bytes. */
const timesDecoded = (apiKey: number) => (apiKey === ApiKey.Produce ? 1 : 5)

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
    if (byteLength >= keptFromBytes) this.kept = budget.hold(byteLength * timesDecoded(this.exchange.api.key))
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

  get count(): number {
    return this.#entries.length
  }

  get first(): PendingAnswer | undefined {
    return this.#entries.first
  }

  push(entry: PendingAnswer): void {
    this.#entries.push(entry)
  }

  get isFirstReady(): boolean {
    return this.first?.answer !== undefined
  }

  /** Removes and returns the first entry if its answer is there. */
  takeReady(): PendingAnswer | undefined {
    return this.isFirstReady ? this.#entries.take() : undefined
  }

  /** The session is gone: gives back what its entries hold. */
  abandon(): void {
    for (const entry of this.#entries.takeAll()) {
      entry.held?.release()
      entry.kept?.release()
    }
  }
}
