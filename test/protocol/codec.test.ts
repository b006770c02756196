import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UnsupportedVersionError, WireError } from '../../src/errors.ts'
import { ApiKey, apiName } from '../../src/protocol/api-key.ts'
import { allApis, describeApi } from '../../src/protocol/api-table.ts'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from '../../src/protocol/codec.ts'
import { ErrorCode, errorName } from '../../src/protocol/error-code.ts'
import { apiVersionsResponseDefaults } from '../../src/protocol/generated/api-versions-response.ts'
import {
  fetchableTopicResponseDefaults,
  fetchResponseDefaults,
  fetchResponsePartitionDataDefaults,
} from '../../src/protocol/generated/fetch-response.ts'
import { metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import { produceRequestDefaults } from '../../src/protocol/generated/produce-request.ts'
import { readRequestHeader, requestHeaderVersion, responseHeaderVersion } from '../../src/protocol/request-header.ts'
import { Reader } from '../../src/wire/reader.ts'
import { Span } from '../../src/wire/span.ts'

/** What decoders take: the frame without its length, which must be right. */
function unframed(chunks: readonly Buffer[]): Buffer {
  const all = Buffer.concat(chunks)
  assert.equal(all.readInt32BE(0), all.length - 4)
  return all.subarray(4)
}

const header = { apiVersion: 9, correlationId: 7, clientId: 'a client' }

describe('codec', () => {
  it('encodes a request with its length in front and decodes it without', () => {
    const body = { ...metadataRequestDefaults(), topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', name: 'orders' }] }
    const frame = unframed(encodeRequest(ApiKey.Metadata, header, body))
    const decoded = decodeRequest(ApiKey.Metadata, frame)
    assert.deepEqual(decoded, { header: { apiKey: ApiKey.Metadata, ...header }, body, unknownTags: 0 })
  })

  it('passes the record bytes of a response through decoding and encoding without a copy', () => {
    const records = Buffer.alloc(70_000, 5)
    const partition = { ...fetchResponsePartitionDataDefaults(), highWatermark: 12n, records: Span.of(records) }
    const responses = [{ ...fetchableTopicResponseDefaults(), partitions: [partition] }]
    const chunks = encodeResponse(ApiKey.Fetch, 17, 3, { ...fetchResponseDefaults(), responses })
    assert.ok(chunks.includes(records))
    const [, ...tail] = chunks
    const decoded = decodeResponse(ApiKey.Fetch, 17, [chunks[0]!.subarray(4), ...tail])
    assert.equal(decoded.correlationId, 3)
    assert.equal(decoded.body.responses[0]!.partitions[0]!.records!.chunks[0]!.buffer, records.buffer)
  })

  it('A-10: refuses a request with bytes behind its body, and one that ends early', () => {
    const frame = unframed(encodeRequest(ApiKey.Metadata, header, metadataRequestDefaults()))
    assert.throws(() => decodeRequest(ApiKey.Metadata, Buffer.concat([frame, Buffer.alloc(1)])), WireError)
    for (let length = 0; length < frame.length; length++) {
      assert.throws(() => decodeRequest(ApiKey.Metadata, frame.subarray(0, length)), WireError)
    }
  })

  it('refuses to decode a version it does not know, and to encode one', () => {
    const frame = unframed(encodeRequest(ApiKey.Metadata, header, metadataRequestDefaults()))
    frame.writeInt16BE(99, 2)
    assert.throws(() => decodeRequest(ApiKey.Metadata, frame), WireError)
    assert.throws(() => decodeRequest(ApiKey.Produce, frame), WireError)
    const unknown = { ...header, apiVersion: 2 }
    assert.throws(() => encodeRequest(ApiKey.Produce, unknown, produceRequestDefaults()), UnsupportedVersionError)
  })

  it('refuses to write a value into a version that cannot carry it', () => {
    const body = { ...metadataRequestDefaults(), allowAutoTopicCreation: false }
    assert.throws(() => encodeRequest(ApiKey.Metadata, { ...header, apiVersion: 3 }, body), UnsupportedVersionError)
    assert.throws(
      () =>
        encodeRequest(ApiKey.Metadata, { ...header, apiVersion: 0 }, { ...metadataRequestDefaults(), topics: null }),
      UnsupportedVersionError,
    )
  })

  it('counts unknown tagged fields of header and body, or keeps them', () => {
    const unknownTaggedFields = [{ tag: 9, data: Buffer.from('xyz') }]
    const body = { ...metadataRequestDefaults(), unknownTaggedFields }
    const frame = unframed(encodeRequest(ApiKey.Metadata, { ...header, unknownTaggedFields }, body))
    const dropped = decodeRequest(ApiKey.Metadata, frame)
    assert.equal(dropped.unknownTags, 2)
    assert.deepEqual(dropped.body, metadataRequestDefaults())
    const kept = decodeRequest(ApiKey.Metadata, frame, { keepUnknownTags: true })
    assert.deepEqual(kept.body, body)
    assert.deepEqual(unframed(encodeRequest(ApiKey.Metadata, kept.header, kept.body)), frame)
    assert.throws(() => encodeRequest(ApiKey.Metadata, { ...header, apiVersion: 8 }, body), UnsupportedVersionError)
  })

  it('A-16: reads and writes the refusal of an ApiVersions version in version 0', () => {
    const body = {
      ...apiVersionsResponseDefaults(),
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
    }
    const frame = unframed(encodeResponse(ApiKey.ApiVersions, 4, 1, body))
    assert.equal(frame.toString('hex'), '00000001' + '0023' + '00000001' + '0012' + '0000' + '0004')
    assert.deepEqual(decodeResponse(ApiKey.ApiVersions, 4, frame).body.apiKeys, body.apiKeys)
  })

  it('refuses a known tagged field in a version that does not have it', () => {
    const frame = unframed(encodeResponse(ApiKey.Fetch, 15, 1, fetchResponseDefaults()))
    const tagged = Buffer.concat([frame.subarray(0, -1), Buffer.from('01000101', 'hex')])
    assert.throws(() => decodeResponse(ApiKey.Fetch, 15, tagged), WireError)
    assert.deepEqual(decodeResponse(ApiKey.Fetch, 16, tagged).body.nodeEndpoints, [])
  })

  it('knows the header of every version, ApiVersions being special', () => {
    assert.equal(requestHeaderVersion(ApiKey.ApiVersions, 3), 2)
    assert.equal(responseHeaderVersion(ApiKey.ApiVersions, 3), 0)
    assert.equal(requestHeaderVersion(ApiKey.Produce, 8), 1)
    assert.equal(responseHeaderVersion(ApiKey.Produce, 8), 0)
    assert.equal(requestHeaderVersion(ApiKey.Produce, 9), 2)
    assert.equal(responseHeaderVersion(ApiKey.Produce, 9), 1)
    assert.equal(requestHeaderVersion(ApiKey.SaslHandshake, 1), 1)
  })

  it('reads the header of a request whose API nobody knows', () => {
    const unknown = readRequestHeader(new Reader(Buffer.from('7fff0001000000020001 61 ff'.replaceAll(' ', ''), 'hex')))
    assert.deepEqual(unknown, { apiKey: 0x7fff, apiVersion: 1, correlationId: 2, clientId: 'a' })
  })

  it('describes every API of Kafka 4.4 and none without a version', () => {
    assert.equal(allApis.length, 91)
    for (const key of [-1, 4, 5, 6, 7, 95]) assert.equal(describeApi(key), undefined)
    const fetch = describeApi(ApiKey.Fetch)!
    assert.deepEqual(
      [fetch.name, fetch.minVersion, fetch.maxVersion, fetch.flexibleFrom, fetch.listeners],
      ['Fetch', 4, 18, 12, ['broker', 'controller']],
    )
    assert.equal(describeApi(ApiKey.InitProducerId)!.latestVersionUnstable, true)
    assert.equal(apiName(1), 'Fetch')
    assert.equal(apiName(4), 'api-4')
    assert.equal(errorName(ErrorCode.TOPIC_AUTHORIZATION_FAILED), 'TOPIC_AUTHORIZATION_FAILED')
    assert.equal(ErrorCode.TOPIC_AUTHORIZATION_FAILED, 29)
  })
})
