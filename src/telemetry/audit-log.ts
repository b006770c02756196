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

/** What of one request is on record. */
interface Noted {
  decisions: number
  /** Where its names beyond `namesMax` are counted. */
  more: Seen | undefined
}

interface Seen {
  readonly key: string
  readonly line: AuditLine
  readonly untilMs: number
  /** What its line calls the count: of the same record again, or of names that have no record. */
  readonly counts: 'repeated' | 'more'
  count: number
  /** Its line has been written: another counts from now on. */
  isClosed: boolean
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
  readonly #noted = new WeakMap<object, Noted>()

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
    const noted = this.#notedOf(request)
    if (noted.decisions++ >= this.#namesMax) return this.#countMore(record, noted)
    const key = `${kindOf(record)}\n${record.resource}`
    const seen = this.#seen.get(key)
    if (seen !== undefined) seen.count++
    else {
      this.#watch({ key, line: record, counts: 'repeated', count: 0 })
      this.#write(record)
    }
  }

  #notedOf(request: object): Noted {
    const known = this.#noted.get(request)
    if (known !== undefined) return known
    const noted = { decisions: 0, more: undefined }
    this.#noted.set(request, noted)
    return noted
  }

  /** A request hardly ever asks two things of so many names, so the last count is the one. */
  #countMore(record: AuditRecord, noted: Noted): void {
    const last = noted.more
    if (last !== undefined && !last.isClosed && isSameKind(last.line, record)) {
      last.count++
      return
    }
    const key = kindOf(record)
    const line = { ...record, resource: undefined, rule: undefined, why: undefined }
    noted.more = this.#seen.get(key) ?? this.#watch({ key, line, counts: 'more', count: 0 })
    noted.more.count++
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

  #watch(seen: Omit<Seen, 'untilMs' | 'isClosed'>): Seen {
    if (this.#seen.size >= this.#recordsMax) this.#closeFirst()
    const watched = { ...seen, untilMs: this.#now() + this.#windowMs, isClosed: false }
    this.#seen.set(watched.key, watched)
    this.#windows.push(watched)
    return watched
  }

  #closeFirst(): void {
    const seen = this.#windows.take()!
    const { key, line, counts, count } = seen
    seen.isClosed = true
    this.#seen.delete(key)
    if (count > 0) this.#write({ ...line, [counts]: count })
  }
}

/** What a line says; that of a number has no name. */
type AuditLine = Omit<AuditRecord, 'resource' | 'why'> & {
  readonly resource?: string | undefined
  readonly why?: string | undefined
}

/** Of one request: what else makes a kind is the same then. */
function isSameKind(one: AuditLine, other: AuditRecord): boolean {
  return (
    one.operation === other.operation &&
    one.outcome === other.outcome &&
    one.resourceType === other.resourceType &&
    one.generation === other.generation
  )
}

/** All but the name. Its words have no space and a principal no line feed, so that no two kinds are spelled alike. */
function kindOf({ outcome, principal, api, operation, resourceType, generation, connection }: AuditRecord): string {
  return `${outcome} ${api} ${operation} ${resourceType} ${generation} ${connection} ${principal}`
}
