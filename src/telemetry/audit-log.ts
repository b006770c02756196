/**
 * Who was denied what, and why: one JSON object per line, on a stream of its own. The same denial over and over is
 * written once and then counted: its number follows in a line when the window ends.
 */
import { pino } from 'pino'
import { escaped, type LogDestination } from './log.ts'

export interface AuditRecord {
  /** The last two: what rules tried beside those in force would have said instead. */
  readonly outcome: 'allowed' | 'denied' | 'wouldDeny' | 'shadowAllows' | 'shadowDenies'
  readonly principal: string
  readonly api: string
  readonly apiVersion: number
  readonly operation: string
  readonly resourceType: string
  readonly resource: string
  /** `policies/policy.csv:12`, where a rule decided. */
  readonly rule: string | undefined
  readonly why: string
  /** Of the policy that decided. */
  readonly generation: number
  readonly cluster: string
  readonly listener: string
  readonly connection: number
  /** Address of the client, `host:port`. */
  readonly client: string
  readonly clientId: string
}

export interface AuditLogOptions {
  readonly destination: LogDestination
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly windowMs?: number
  /** Different records whose repetition is watched. */
  readonly recordsMax?: number
}

interface Seen {
  readonly record: AuditRecord
  readonly untilMs: number
  repeated: number
}

export class AuditLog {
  readonly #write: (line: object) => void
  readonly #now: () => number
  readonly #windowMs: number
  readonly #recordsMax: number
  /** In the order of their windows' ends. */
  readonly #seen = new Map<string, Seen>()

  constructor({ destination, now, windowMs = 10_000, recordsMax = 10_000 }: AuditLogOptions) {
    const options = {
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: () => ({ level: 'audit' }) },
    }
    const logger = pino(options, { write: line => destination.write(escaped(line)) })
    this.#write = line => logger.info(line)
    this.#now = now
    this.#windowMs = windowMs
    this.#recordsMax = recordsMax
  }

  record(record: AuditRecord): void {
    this.sweep()
    const key = keyOf(record)
    const seen = this.#seen.get(key)
    if (seen !== undefined) {
      seen.repeated++
      return
    }
    if (this.#seen.size >= this.#recordsMax) this.#close(this.#seen.keys().next().value as string)
    this.#seen.set(key, { record, untilMs: this.#now() + this.#windowMs, repeated: 0 })
    this.#write(record)
  }

  /** Writes what was repeated in windows that are over. */
  sweep(): void {
    const nowMs = this.#now()
    for (const [key, { untilMs }] of this.#seen) {
      if (nowMs < untilMs) return
      this.#close(key)
    }
  }

  /** Writes all that was repeated. */
  flush(): void {
    for (const key of [...this.#seen.keys()]) this.#close(key)
  }

  #close(key: string): void {
    const { record, repeated } = this.#seen.get(key)!
    this.#seen.delete(key)
    if (repeated > 0) this.#write({ ...record, repeated })
  }
}

/** As JSON, so that names cannot run into each other. */
function keyOf({
  outcome,
  principal,
  api,
  operation,
  resourceType,
  resource,
  generation,
  connection,
}: AuditRecord): string {
  return JSON.stringify([outcome, principal, api, operation, resourceType, resource, generation, connection])
}
