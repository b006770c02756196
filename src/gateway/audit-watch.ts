/**
 * Whether decisions can be written down. Without `audit.required` the answer is always yes, and what cannot be written is
 * dropped and counted.
 */
import type { LogDestination, Logger } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'

export interface AuditWatchOptions {
  readonly destination: LogDestination
  readonly isRequired: boolean
  readonly log: Logger
  readonly metrics: Metrics
}

export class AuditWatch {
  readonly #options: AuditWatchOptions
  #wasFailing = false

  constructor(options: AuditWatchOptions) {
    this.#options = options
    const { destination, metrics } = options
    metrics.counter(
      'vkitm_audit_dropped_total',
      'Audit records that the destination did not take',
      () => destination.dropped,
    )
    metrics.gauge('vkitm_audit_blocked', '1 while requests are refused because nothing can be written down', () =>
      this.isFailing ? 1 : 0,
    )
  }

  get isFailing(): boolean {
    const { isRequired, destination } = this.#options
    return isRequired && destination.isTaking === false
  }

  /** Why the gateway is no good meanwhile. */
  get reasons(): string[] {
    return this.isFailing ? ['audit records cannot be written: make room at audit.file'] : []
  }

  /** Says so once, and once that it is over. */
  look(): void {
    if (this.isFailing === this.#wasFailing) return
    this.#wasFailing = this.isFailing
    const { log, metrics } = this.#options
    if (!this.#wasFailing) {
      log.info({}, 'audit records are written again')
      return
    }
    metrics.error('VKITM_AUDIT')
    log.error({}, 'audit records cannot be written: requests under a policy are refused until they can')
  }
}
