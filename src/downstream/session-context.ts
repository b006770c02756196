/** What all sessions of a listener share, and what bounds each of them. */
import type { Client } from '../pipeline/exchange.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { ByteBudget } from '../wire/byte-budget.ts'
import type { ReceiveBuffers } from '../wire/receive-buffers.ts'
import type { DeadlineSweep } from './deadline-sweep.ts'
import type { Upstream, UpstreamEvents } from './upstream.ts'

/** Counts, bytes and milliseconds of `limits`. */
export interface SessionLimits {
  readonly frameBytes: number
  readonly inFlight: number
  readonly firstFrameTimeout: number
  readonly frameTimeout: number
  readonly idleTimeout: number
  readonly writeStall: number
}

export interface SessionContext {
  readonly pipeline: Pipeline
  readonly openUpstream: (client: Client, events: UpstreamEvents) => Promise<Upstream>
  readonly budget: ByteBudget
  /** What clients are read into. */
  readonly buffers: ReceiveBuffers
  /** Keys of what nobody looks at any more once it has left: what it was received into is received into again. */
  readonly leaveForGood: { readonly requests: ReadonlySet<number>; readonly answers: ReadonlySet<number> }
  readonly limits: SessionLimits
  readonly sweep: DeadlineSweep
  readonly metrics: Metrics
  readonly log: Logger
  /** Monotonic milliseconds. */
  readonly now: () => number
}
