/**
 * The log: pino, one JSON object per line. Keys are fixed, so that a line can be searched for by machine; what comes
 * from the wire is data inside JSON strings and cannot start a line of its own.
 */
import { pino } from 'pino'
import { describeError } from './describe-error.ts'
import { LineSink } from './line-sink.ts'

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
  /** Resolves when all is written, or at the deadline. */
  flushed(timeoutMs: number): Promise<void>
}

export interface LogOptions {
  readonly level?: LogLevel
  /** Default: standard output. */
  readonly destination?: LogDestination
}

/** Names under which a secret would come in by mistake, one level deep wherever objects are logged. */
const SECRET_KEYS = ['password', 'passphrase', 'secret', 'clientSecret', 'token', 'key', 'keyPassword', 'authorization']
const REDACTED_PATHS = SECRET_KEYS.flatMap(key => [`details.${key}`, `details.*.${key}`, `err.details.${key}`])

export function createLog({ level = 'info', destination = new LineSink({ fd: 1 }) }: LogOptions = {}): Log {
  const root = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
      messageKey: 'message',
      errorKey: 'err',
      serializers: { err: error => describeError(error) },
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
    },
    destination,
  )
  return Object.assign(root, {
    setLevel: (next: LogLevel) => {
      root.level = next
    },
    dropped: () => destination.dropped,
    flushed: (timeoutMs: number) => destination.flushed(timeoutMs),
  })
}
