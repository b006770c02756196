/** What all sessions of a listener share, and what bounds each of them. */
import type { Client } from '../pipeline/exchange.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { ByteBudget } from '../wire/byte-budget.ts'
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
  /** Answers that nobody looks at any more once they have left: their buffers are received into again. */
  readonly leaveForGood: ReadonlySet<number>
  readonly limits: SessionLimits
  readonly sweep: DeadlineSweep
  readonly metrics: Metrics
  readonly log: Logger
  /** Monotonic milliseconds. */
  readonly now: () => number
}
