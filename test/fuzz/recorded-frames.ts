import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a real client said, and what the broker answered: frames with their length prefix, in base64. */
export interface RecordedExchange {
  readonly client: string
  readonly apiKey: number
  readonly apiVersion: number
  readonly request: string
  readonly response: string | null
}

const file = join(import.meta.dirname, '..', '..', '..', 'test', 'fuzz', 'recorded-frames.json')

export const recordedExchanges = (): RecordedExchange[] => JSON.parse(readFileSync(file, 'utf8')) as RecordedExchange[]
