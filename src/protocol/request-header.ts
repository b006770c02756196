import type { Reader } from '../wire/reader.ts'
import type { TaggedField } from '../wire/tagged-field.ts'
import type { Writer } from '../wire/writer.ts'
import { ApiKey } from './api-key.ts'
import { describeApi } from './api-table.ts'

export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  readonly unknownTaggedFields?: readonly TaggedField[]
}

/** Header 2 is header 1 with tagged fields behind it. Header 0 belonged to ControlledShutdown, which is gone. */
export function requestHeaderVersion(apiKey: number, apiVersion: number): 1 | 2 {
  return isFlexible(apiKey, apiVersion) ? 2 : 1
}

/** KIP-511: a client reads the answer to ApiVersions before it knows what the broker can do, so its header never has tags. */
export function responseHeaderVersion(apiKey: number, apiVersion: number): 0 | 1 {
  return apiKey !== ApiKey.ApiVersions && isFlexible(apiKey, apiVersion) ? 1 : 0
}

function isFlexible(apiKey: number, apiVersion: number): boolean {
  return apiVersion >= (describeApi(apiKey)?.flexibleFrom ?? Number.POSITIVE_INFINITY)
}

/** Reads the header of any request, known or not; an unknown API's body may begin with tags of its header. */
export function readRequestHeader(reader: Reader): RequestHeader {
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  // In both versions of the header: brokers of any age must be able to read the client id.
  const clientId = reader.nullableName()
  const unknownTaggedFields = requestHeaderVersion(apiKey, apiVersion) === 2 ? reader.taggedFields() : undefined
  const header = { apiKey, apiVersion, correlationId, clientId }
  return unknownTaggedFields === undefined ? header : { ...header, unknownTaggedFields }
}

export function writeRequestHeader(writer: Writer, header: RequestHeader): void {
  writer.int16(header.apiKey)
  writer.int16(header.apiVersion)
  writer.int32(header.correlationId)
  writer.nullableString(header.clientId)
  if (requestHeaderVersion(header.apiKey, header.apiVersion) === 2)
    writer.taggedFields(undefined, header.unknownTaggedFields)
}
