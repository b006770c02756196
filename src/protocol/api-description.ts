import type { Reader } from '../wire/reader.ts'
import type { Writer } from '../wire/writer.ts'

/** What is known of one API key. Message types are erased here; codec.ts gives them back. */
export interface ApiDescription {
  readonly key: number
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
  /** The first version with varint lengths and tagged fields; Infinity where there is none. */
  readonly flexibleFrom: number
  /** Who serves it. */
  readonly listeners: readonly ('broker' | 'controller')[]
  /** The highest version is still in the making: brokers serve it only where told to. */
  readonly latestVersionUnstable: boolean
  readonly readRequest: (reader: Reader, version: number) => unknown
  readonly writeRequest: (writer: Writer, message: never, version: number) => void
  readonly readResponse: (reader: Reader, version: number) => unknown
  readonly writeResponse: (writer: Writer, message: never, version: number) => void
}
