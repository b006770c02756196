/**
 * The log of what strangers cause, who can do it as often as they like. The same failure from the same address is
 * written once and then counted: its number follows in a line when the window ends. Of different ones so many are
 * written in a window, and the rest is one number.
 */
import type { LogFields, Logger } from './log.ts'

export type StrangerLog = Pick<Logger, 'info' | 'warn'>

export interface FloodLogOptions {
  readonly log: Logger
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly windowMs?: number
  /** Different lines in a window. */
  readonly linesMax?: number
}

type Level = keyof StrangerLog

interface Seen {
  readonly level: Level
  readonly fields: LogFields
  readonly message: string
  readonly untilMs: number
  repeated: number
}

export class FloodLog implements StrangerLog {
  readonly #log: Logger
  readonly #now: () => number
  readonly #windowMs: number
  readonly #linesMax: number
  /** In the order of their windows' ends. */
  readonly #seen = new Map<string, Seen>()
  #leftOut = 0
  #leftOutUntilMs = 0

  constructor({ log, now, windowMs = 10_000, linesMax = 500 }: FloodLogOptions) {
    this.#log = log
    this.#now = now
    this.#windowMs = windowMs
    this.#linesMax = linesMax
  }

  info(fields: LogFields, message: string): void {
    this.#note('info', fields, message)
  }

  warn(fields: LogFields, message: string): void {
    this.#note('warn', fields, message)
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

  #note(level: Level, fields: LogFields, message: string): void {
    this.sweep()
    const key = keyOf(fields, message)
    const seen = this.#seen.get(key)
    const untilMs = this.#now() + this.#windowMs
    if (seen !== undefined) seen.repeated++
    else if (this.#seen.size >= this.#linesMax) {
      if (this.#leftOut++ === 0) this.#leftOutUntilMs = untilMs
    } else {
      this.#seen.set(key, { level, fields, message, untilMs, repeated: 0 })
      this.#log[level](fields, message)
    }
  }

  #close(key: string): void {
    const { level, fields, message, repeated } = this.#seen.get(key)!
    this.#seen.delete(key)
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

/** Who comes again comes from another port and on another connection. */
function keyOf({ listener, client, details, err }: LogFields, message: string): string {
  const host = client?.replace(/:\d+$/, '')
  return JSON.stringify([message, listener, host, details, err instanceof Error ? err.message : err])
}
