/**
 * The log: pino, one JSON object per line. Keys are fixed, so that a line can be searched for by machine; what comes
 * from the wire is data inside JSON strings and cannot start a line of its own.
 */
import { pino } from 'pino'
import { describeError } from './describe-error.ts'
import { LineSink } from './line-sink.ts'
import { withoutSecrets } from './without-secrets.ts'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'

/** Every key a line may have; anything else goes, flat, into `details`. Never secrets, payloads or keys. */
export interface LogFields {
  readonly cluster?: string | undefined
  readonly listener?: string | undefined
  readonly connection?: number | undefined
  /** Address of the client, `host:port`. */
  readonly client?: string | undefined
  readonly principal?: string | undefined
  readonly apiKey?: number | undefined
  readonly apiVersion?: number | undefined
  readonly correlationId?: number | undefined
  readonly nodeId?: number | undefined
  /** Address of the broker, `host:port`. */
  readonly upstream?: string | undefined
  readonly err?: unknown
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  fatal(fields: LogFields, message: string): void
  isLevelEnabled(level: LogLevel): boolean
  child(fields: LogFields): Logger
}

export interface Log extends Logger {
  setLevel(level: LogLevel): void
  /** Lines lost because the destination did not take them. */
  dropped(): number
  /** Resolves when all is written, or at the deadline. */
  flushed(timeoutMs: number): Promise<void>
}

export interface LogDestination {
  write(line: string): void
  readonly dropped: number
  /** False while lines wait that cannot be written. Missing: they never do. */
  readonly isTaking?: boolean
  /** Resolves when all is written, or at the deadline. */
  flushed(timeoutMs: number): Promise<void>
}

export interface LogOptions {
  readonly level?: LogLevel
  /** Default: standard output. */
  readonly destination?: LogDestination
}

/** JSON leaves these as they are, but terminals and viewers act on them. They only occur inside strings. */
const UNSAFE_IN_TERMINALS = /[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

export const escaped = (line: string): string =>
  line.replace(UNSAFE_IN_TERMINALS, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)

export function createLog({ level = 'info', destination = new LineSink({ fd: 1 }) }: LogOptions = {}): Log {
  const root = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
      messageKey: 'message',
      errorKey: 'err',
      serializers: { err: error => describeError(error), details: withoutSecrets },
    },
    { write: line => destination.write(escaped(line)) },
  )
  return Object.assign(root, {
    setLevel: (next: LogLevel) => {
      root.level = next
    },
    dropped: () => destination.dropped,
    flushed: (timeoutMs: number) => destination.flushed(timeoutMs),
  })
}
