/** A log that tests can read: the lines as objects, and as the text that would have been written. */
import { createLog, type Log, type LogDestination } from '../../src/telemetry/log.ts'

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly client?: string
  readonly apiKey?: number
  readonly err?: {
    readonly code?: string
    readonly message?: string
    readonly details?: Readonly<Record<string, unknown>>
  }
  readonly details?: Readonly<Record<string, unknown>>
  readonly [key: string]: unknown
}

export interface MemoryLog {
  readonly log: Log
  readonly destination: LogDestination
  /** What was written, line by line, as it would stand in a file. */
  readonly texts: readonly string[]
  lines(message?: string): LogLine[]
}

export function memoryLog(): MemoryLog {
  const texts: string[] = []
  const destination = { write: (line: string) => void texts.push(line), dropped: 0, flushed: async () => undefined }
  const log = createLog({ level: 'debug', destination })
  return {
    log,
    destination,
    texts,
    lines(message) {
      const lines = texts.map(text => JSON.parse(text) as LogLine)
      return message === undefined ? lines : lines.filter(line => line.message === message)
    },
  }
}
