/** What a session needs of the brokers' side; upstream/ has it for one broker. */
import type { Exchange } from '../pipeline/exchange.ts'
import type { Reservation } from '../wire/byte-budget.ts'
import type { Frame } from '../wire/frame.ts'

/** A request on its way out, with what a fan-out needs to know of it and what a single broker needs to send it. */
export interface OutgoingRequest {
  readonly exchange: Exchange
  readonly chunks: readonly Buffer[]
  readonly byteLength: number
  /** Missing where there is no answer (acks=0). */
  readonly onAnswer?: ((frame: Frame, held: Reservation) => void) | undefined
  readonly held?: Reservation | undefined
}

/** Where a session's requests go: one broker, or what looks like one. */
export interface Upstream {
  readonly isWritable: boolean
  readonly isReading: boolean
  /** Bytes that have come of an answer that is not complete; 0 where none is under way. */
  readonly partialBytes: number
  /** More requests follow in this turn of the event loop. */
  gather(): void
  send(request: OutgoingRequest): void
  pauseReading(): void
  resumeReading(): void
  end(): void
  destroy(): void
}

export interface UpstreamEvents {
  readonly onWritable: () => void
  readonly onClosed: (error?: Error) => void
}

/** For a connection that nobody waits for any more. */
export const ignored: UpstreamEvents = Object.freeze({ onWritable: () => undefined, onClosed: () => undefined })
