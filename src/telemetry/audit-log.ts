/**
 * Who was denied what, and why: one JSON object per line, on a stream of its own. The same denial over and over is
 * written once and then counted: its number follows in a line when the window ends. A request of a million names must
 * neither fill the stream nor hold up the process: beyond so many decisions its names are a number.
 */
import { pino } from 'pino'
import { Queue } from '../queue.ts'
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
  /** Decisions of one request that are written down with a name. */
  readonly namesMax?: number
}

interface Seen {
  readonly key: string
  readonly line: object
  readonly untilMs: number
  /** What its line calls the count: of the same record again, or of names that have no record. */
  readonly counts: 'repeated' | 'more'
  count: number
}

export class AuditLog {
  readonly #write: (line: object) => void
  readonly #now: () => number
  readonly #windowMs: number
  readonly #recordsMax: number
  readonly #namesMax: number
  readonly #seen = new Map<string, Seen>()
  /**
   * The same in the order of their windows' ends. A map has that order, too, but walks over all that was deleted before
   * its first entry to find it.
   */
  readonly #windows = new Queue<Seen>()
  /** Decisions on record, by request. */
  readonly #decisions = new WeakMap<object, number>()

  constructor({ destination, now, windowMs = 10_000, recordsMax = 10_000, namesMax = 1_000 }: AuditLogOptions) {
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
    this.#namesMax = namesMax
  }

  /** `request`: whatever stands for the request that was decided on. */
  record(record: AuditRecord, request: object): void {
    this.sweep()
    const before = this.#decisions.get(request) ?? 0
    this.#decisions.set(request, before + 1)
    const isNamed = before < this.#namesMax
    const key = isNamed ? `${kindOf(record)}\n${record.resource}` : kindOf(record)
    const seen = this.#seen.get(key)
    if (seen !== undefined) seen.count++
    else if (isNamed) {
      this.#watch({ key, line: record, counts: 'repeated', count: 0 })
      this.#write(record)
    } else {
      const line = { ...record, resource: undefined, rule: undefined, why: undefined }
      this.#watch({ key, line, counts: 'more', count: 1 })
    }
  }

  /** Writes what was counted in windows that are over. */
  sweep(): void {
    const nowMs = this.#now()
    while ((this.#windows.first?.untilMs ?? Number.POSITIVE_INFINITY) <= nowMs) this.#closeFirst()
  }

  /** Writes all that was counted. */
  flush(): void {
    while (this.#windows.length > 0) this.#closeFirst()
  }

  #watch(seen: Omit<Seen, 'untilMs'>): void {
    if (this.#seen.size >= this.#recordsMax) this.#closeFirst()
    const watched = { ...seen, untilMs: this.#now() + this.#windowMs }
    this.#seen.set(watched.key, watched)
    this.#windows.push(watched)
  }

  #closeFirst(): void {
    const { key, line, counts, count } = this.#windows.take()!
    this.#seen.delete(key)
    if (count > 0) this.#write({ ...line, [counts]: count })
  }
}

/** All but the name. Its words have no space and a principal no line feed, so that no two kinds are spelled alike. */
function kindOf({ outcome, principal, api, operation, resourceType, generation, connection }: AuditRecord): string {
  return `${outcome} ${api} ${operation} ${resourceType} ${generation} ${connection} ${principal}`
}
