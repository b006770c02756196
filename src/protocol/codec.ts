// Frames to messages and back. Decoders take a frame without its length prefix; encoders answer a frame with it.
import { UnsupportedVersionError, WireError } from '../errors.ts'
import type { ReadLimits } from '../wire/bounds.ts'
import { Reader } from '../wire/reader.ts'
import { Writer } from '../wire/writer.ts'
import type { ApiDescription } from './api-description.ts'
import { ApiKey, apiName } from './api-key.ts'
import { describeApi } from './api-table.ts'
import { ErrorCode } from './error-code.ts'
import type { RequestByKey, ResponseByKey } from './generated/message-types.ts'
import { type RequestHeader, readRequestHeader, responseHeaderVersion, writeRequestHeader } from './request-header.ts'

export type { RequestByKey, ResponseByKey } from './generated/message-types.ts'

type Frame = Buffer | readonly Buffer[]

export interface DecodedRequest<Key extends ApiKey> {
  readonly header: RequestHeader
  readonly body: RequestByKey[Key]
  /** Tagged fields that were dropped: where there are any, the frame must not be forwarded as received. */
  readonly unknownTags: number
}

export interface DecodedResponse<Key extends ApiKey> {
  readonly correlationId: number
  readonly body: ResponseByKey[Key]
  readonly unknownTags: number
}

/** A response's known tagged fields may be as large as the frame: Produce and Fetch list brokers there. */
const responseLimits: Partial<ReadLimits> = { tagBytesMax: Number.POSITIVE_INFINITY }

export function decodeRequest<Key extends ApiKey>(
  key: Key,
  frame: Frame,
  limits?: Partial<ReadLimits>,
): DecodedRequest<Key> {
  const reader = new Reader(frame, limits)
  const header = readRequestHeader(reader)
  if (header.apiKey !== key)
    throw new WireError('not the API expected', { details: { apiKey: header.apiKey, expected: key } })
  const api = readable(key, header.apiVersion)
  const body = api.readRequest(reader, header.apiVersion) as RequestByKey[Key]
  reader.expectEnd()
  return { header, body, unknownTags: reader.unknownTags }
}

export function encodeRequest<Key extends ApiKey>(
  key: Key,
  header: Omit<RequestHeader, 'apiKey'>,
  body: RequestByKey[Key],
): Buffer[] {
  const api = writable(key, header.apiVersion)
  const writer = new Writer()
  const setLength = writer.reserveInt32()
  writeRequestHeader(writer, { ...header, apiKey: key })
  api.writeRequest(writer, body as never, header.apiVersion)
  setLength(writer.byteLength - 4)
  return writer.chunks()
}

/** `version` is that of the request this frame answers: a response does not say it. */
export function decodeResponse<Key extends ApiKey>(
  key: Key,
  version: number,
  frame: Frame,
  limits?: Partial<ReadLimits>,
): DecodedResponse<Key> {
  const reader = new Reader(frame, limits === undefined ? responseLimits : { ...responseLimits, ...limits })
  const { correlationId, body } = readResponse(reader, readable(key, version), version)
  reader.expectEnd()
  return { correlationId, body: body as ResponseByKey[Key], unknownTags: reader.unknownTags }
}

/** Reads header and body of the answer to a request of `version`, for callers that have a reader. */
export function readResponse(
  reader: Reader,
  api: ApiDescription,
  version: number,
): { correlationId: number; body: unknown } {
  const correlationId = reader.int32()
  if (responseHeaderVersion(api.key, version) === 1) reader.taggedFields()
  // KIP-511: a broker that does not know the version of ApiVersions asked for says so in version 0.
  const isRefusal = api.key === ApiKey.ApiVersions && reader.peekInt16() === ErrorCode.UNSUPPORTED_VERSION
  return { correlationId, body: api.readResponse(reader, isRefusal ? 0 : version) }
}

export function encodeResponse<Key extends ApiKey>(
  key: Key,
  version: number,
  correlationId: number,
  body: ResponseByKey[Key],
): Buffer[] {
  const refused = key === ApiKey.ApiVersions && 'errorCode' in body && body.errorCode === ErrorCode.UNSUPPORTED_VERSION
  const wireVersion = refused ? 0 : version
  const api = writable(key, wireVersion)
  const writer = new Writer()
  const setLength = writer.reserveInt32()
  writer.int32(correlationId)
  if (responseHeaderVersion(key, wireVersion) === 1) writer.taggedFields(undefined, undefined)
  api.writeResponse(writer, body as never, wireVersion)
  setLength(writer.byteLength - 4)
  return writer.chunks()
}

function readable(key: ApiKey, version: number): ApiDescription {
  const api = describeApi(key)
  if (api !== undefined && version >= api.minVersion && version <= api.maxVersion) return api
  throw new WireError('version not known', { details: { api: apiName(key), version } })
}

function writable(key: ApiKey, version: number): ApiDescription {
  const api = describeApi(key)
  if (api !== undefined && version >= api.minVersion && version <= api.maxVersion) return api
  throw new UnsupportedVersionError(`${apiName(key)} has no version ${version}`, {
    details: { api: apiName(key), version },
  })
}
