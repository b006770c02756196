/**
 * The log of what strangers cause, who can do it as often as they like. The same failure from the same address is
 * written once and then counted: its number follows in a line when the window ends. Of different ones so many are
 * written in a window, and the rest is one number; one address has a share of these lines alone, and what is beyond it is
 * a number with the address, so that nobody can hide what others do.
 */
import type { LogFields, Logger } from './log.ts'

export type StrangerLog = Pick<Logger, 'info' | 'warn' | 'error'>

export interface FloodLogOptions {
  readonly log: Logger
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly windowMs?: number
  /** Different lines in a window. */
  readonly linesMax?: number
  /** Of these, for one address. */
  readonly addressLinesMax?: number
}

interface Line {
  readonly level: keyof StrangerLog
  readonly fields: LogFields
  readonly message: string
}

interface Seen extends Line {
  readonly host: string
  readonly untilMs: number
  repeated: number
}

export class FloodLog implements StrangerLog {
  readonly #log: Logger
  readonly #now: () => number
  readonly #windowMs: number
  readonly #linesMax: number
  readonly #addressLinesMax: number
  /** In the order of their windows' ends. */
  readonly #seen = new Map<string, Seen>()
  readonly #linesOf = new Map<string, number>()
  #leftOut = 0
  #leftOutUntilMs = 0

  constructor({ log, now, windowMs = 10_000, linesMax = 500, addressLinesMax = 50 }: FloodLogOptions) {
    this.#log = log
    this.#now = now
    this.#windowMs = windowMs
    this.#linesMax = linesMax
    this.#addressLinesMax = addressLinesMax
  }

  info(fields: LogFields, message: string): void {
    this.#note({ level: 'info', fields, message })
  }

  warn(fields: LogFields, message: string): void {
    this.#note({ level: 'warn', fields, message })
  }

  error(fields: LogFields, message: string): void {
    this.#note({ level: 'error', fields, message })
  }

  /** Writes what was repeated in windows that are over. */
  sweep(): void {
    const nowMs = this.#now()
    if (this.#leftOut > 0 && nowMs >= this.#leftOutUntilMs) this.#writeLeftOut()
    for (const [key, { untilMs }] of this.#seen) {
      if (nowMs < untilMs) return
      this.#close(key)
    }
  }

  /** Writes all that was repeated or left out. */
  flush(): void {
    if (this.#leftOut > 0) this.#writeLeftOut()
    for (const key of [...this.#seen.keys()]) this.#close(key)
  }

  #note(line: Line): void {
    this.sweep()
    const host = hostOf(line.fields)
    const isBeyondShare = (this.#linesOf.get(host) ?? 0) >= this.#addressLinesMax
    this.#count(isBeyondShare && !this.#seen.has(keyOf(line, host)) ? beyondShare(line.fields) : line, host)
  }

  #count(line: Line, host: string): void {
    const key = keyOf(line, host)
    const seen = this.#seen.get(key)
    const untilMs = this.#now() + this.#windowMs
    if (seen !== undefined) seen.repeated++
    else if (this.#seen.size >= this.#linesMax) {
      if (this.#leftOut++ === 0) this.#leftOutUntilMs = untilMs
    } else {
      this.#seen.set(key, { ...line, host, untilMs, repeated: 0 })
      this.#linesOf.set(host, (this.#linesOf.get(host) ?? 0) + 1)
      this.#log[line.level](line.fields, line.message)
    }
  }

  #close(key: string): void {
    const { level, fields, message, host, repeated } = this.#seen.get(key)!
    this.#seen.delete(key)
    const left = this.#linesOf.get(host)! - 1
    if (left === 0) this.#linesOf.delete(host)
    else this.#linesOf.set(host, left)
    if (repeated > 0) this.#log[level]({ ...fields, details: { ...fields.details, repeated } }, message)
  }

  #writeLeftOut(): void {
    this.#log.warn(
      { details: { lines: this.#leftOut } },
      'more failures than are written down: these are counted alone',
    )
    this.#leftOut = 0
  }
}

const beyondShare = ({ client }: LogFields): Line => ({
  level: 'warn',
  fields: { client },
  message: 'more failures of one address than are written down: these are counted alone',
})

/** Who comes again comes from another port and on another connection. */
const hostOf = ({ client = '' }: LogFields): string => client.replace(/:\d+$/, '')

function keyOf({ fields: { listener, principal, details, err }, message }: Line, host: string): string {
  return JSON.stringify([message, listener, host, principal, details, err instanceof Error ? err.message : err])
}
