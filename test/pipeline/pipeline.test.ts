import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WireError } from '../../src/errors.ts'
import type { Client } from '../../src/pipeline/exchange.ts'
import { type Opened, Pipeline } from '../../src/pipeline/pipeline.ts'
import { ServedApis } from '../../src/pipeline/served-apis.ts'
import { type ApiHandler, changed, close, respond, type Stage, unchanged } from '../../src/pipeline/stage.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { encodeRequest, encodeResponse } from '../../src/protocol/codec.ts'
import { type MetadataRequest, metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import { type MetadataResponse, metadataResponseDefaults } from '../../src/protocol/generated/metadata-response.ts'
import type { Frame } from '../../src/wire/frame.ts'

const client: Client = Object.freeze({
  connection: 1,
  listener: 'l',
  address: 'a:1',
  ip: 'a',
  principal: 'User:a',
  nodeId: undefined,
})
const frameOf = (...chunks: Buffer[]): Frame => ({
  chunks,
  byteLength: chunks.reduce((sum, { length }) => sum + length, 0),
})

function request(apiVersion = 12, body: Partial<MetadataRequest> = {}): Frame {
  const header = { apiVersion, correlationId: 5, clientId: 'c' }
  return frameOf(...encodeRequest(ApiKey.Metadata, header, { ...metadataRequestDefaults(), topics: [], ...body }))
}

function response(apiVersion = 12, body: Partial<MetadataResponse> = {}, correlationId = 5): Frame {
  return frameOf(
    ...encodeResponse(ApiKey.Metadata, apiVersion, correlationId, { ...metadataResponseDefaults(), ...body }),
  )
}

const stage = (name: string, handler: ApiHandler | undefined): Stage => ({ name, handler: () => handler })

function pipelineOf(...stages: Stage[]) {
  const tags: string[] = []
  const metrics = {
    unknownTags: (key: number, direction: string, count = 1) => void tags.push(`${key} ${direction} ${count}`),
  }
  return { tags, pipeline: new Pipeline({ served: new ServedApis(), stages, metrics }) }
}

function opened(pipeline: Pipeline, frame: Frame): Opened {
  const result = pipeline.open(frame, client)
  assert.ok('exchange' in result)
  return result
}

/** The tagged fields of the body come last and there are none: one is put there. */
function withUnknownTag({ chunks }: Frame): Frame {
  const bytes = Buffer.concat([...chunks, Buffer.from('e8070100', 'hex')])
  bytes.writeInt32BE(bytes.length - 4)
  bytes[bytes.length - 5] = 1
  return frameOf(bytes)
}

describe('Pipeline', () => {
  test('requests meet the stages in their order, answers the other way round', async () => {
    const met: string[] = []
    const noting = (name: string): Stage =>
      stage(name, {
        request: () => {
          met.push(`${name} asks`)
          return unchanged
        },
        response: () => {
          met.push(`${name} answers`)
          return unchanged
        },
      })
    const { pipeline } = pipelineOf(noting('one'), stage('deaf', undefined), noting('two'), stage('half', {}))
    const { exchange } = opened(pipeline, request())
    assert.deepEqual(pipeline.judgeRequest(exchange), unchanged)
    assert.deepEqual(pipeline.judgeResponse(exchange, response()), unchanged)
    assert.deepEqual(met, ['one asks', 'two asks', 'two answers', 'one answers'])
  })

  test('the first stage that does not forward has the last word', () => {
    for (const outcome of [respond({}), close('no')]) {
      const { pipeline } = pipelineOf(
        stage('no', { request: () => outcome }),
        stage('never', { request: () => assert.fail('met') }),
      )
      assert.equal(pipeline.judgeRequest(opened(pipeline, request()).exchange), outcome)
    }
  })

  test('one change is a change, wherever in the order, and whether stages answer at once or later', async () => {
    const steps = [() => unchanged, () => changed, async () => unchanged, async () => changed]
    for (const first of steps) {
      for (const second of steps) {
        const { pipeline } = pipelineOf(stage('one', { request: first }), stage('two', { request: second }))
        const outcome = await pipeline.judgeRequest(opened(pipeline, request()).exchange)
        assert.deepEqual(outcome, { kind: 'forward', changed: (await first()).changed || (await second()).changed })
      }
    }
  })

  test('a stage that fails later fails the whole, and those behind it are not met', async () => {
    const { pipeline } = pipelineOf(
      stage('broken', { request: () => Promise.reject(new Error('defect')) }),
      stage('never', { request: () => assert.fail('met') }),
    )
    await assert.rejects(async () => pipeline.judgeRequest(opened(pipeline, request()).exchange), /defect/)
  })

  test('asks every stage once for an API and version, not once for a request', () => {
    const asked: string[] = []
    const { pipeline } = pipelineOf({ name: 'one', handler: (key, version) => void asked.push(`${key} v${version}`) })
    for (const version of [12, 12, 11, 12]) pipeline.judgeRequest(opened(pipeline, request(version)).exchange)
    assert.deepEqual(asked, ['3 v12', '3 v11'])
  })

  test('what a stage wrote is what is encoded, in both directions', () => {
    const { pipeline } = pipelineOf(
      stage('one', {
        request: body => {
          Object.assign(body as MetadataRequest, { allowAutoTopicCreation: false })
          return changed
        },
        response: body => {
          Object.assign(body as MetadataResponse, { controllerId: 9 })
          return changed
        },
      }),
    )
    const { exchange } = opened(pipeline, request())
    pipeline.judgeRequest(exchange)
    assert.deepEqual(
      Buffer.concat(pipeline.encodeRequest(exchange).chunks),
      Buffer.concat(request(12, { allowAutoTopicCreation: false }).chunks),
    )
    pipeline.judgeResponse(exchange, response())
    const { chunks, byteLength } = pipeline.encodeResponse(exchange)
    assert.deepEqual(Buffer.concat(chunks), Buffer.concat(response(12, { controllerId: 9 }).chunks))
    assert.equal(byteLength, Buffer.concat(chunks).length)
  })

  test('unknown tagged fields are dropped and counted: what came is not what is forwarded', () => {
    const { pipeline, tags } = pipelineOf()
    const { exchange, isTrimmed } = opened(pipeline, withUnknownTag(request()))
    assert.ok(isTrimmed)
    assert.deepEqual(Buffer.concat(pipeline.encodeRequest(exchange).chunks), Buffer.concat(request().chunks))
    assert.deepEqual(pipeline.judgeResponse(exchange, withUnknownTag(response())), changed)
    assert.deepEqual(Buffer.concat(pipeline.encodeResponse(exchange).chunks), Buffer.concat(response().chunks))
    assert.deepEqual(tags, ['3 request 1', '3 response 1'])
  })

  test('what has no row is not opened, and its body is not looked at', () => {
    const { pipeline } = pipelineOf()
    for (const [key, version] of [
      [ApiKey.Envelope, 0],
      [ApiKey.Metadata, 99],
      [ApiKey.Metadata, -1],
      [ApiKey.WriteTxnMarkers, 1],
      [4, 0],
      [126, 0],
      [-1, 0],
      [0x7fff, 0],
    ] as const) {
      const bytes = Buffer.from('0000000a0000000000000005ffff00000000', 'hex')
      bytes.writeInt16BE(key, 4)
      bytes.writeInt16BE(version, 6)
      const result = pipeline.open(frameOf(bytes), client)
      assert.ok(!('exchange' in result), `${key} v${version} was opened`)
      assert.deepEqual([result.header.apiKey, result.header.apiVersion, result.header.correlationId], [key, version, 5])
    }
  })

  test('A-10: a request or an answer with too few or too many bytes is refused', () => {
    const { pipeline } = pipelineOf()
    const { exchange } = opened(pipeline, request())
    const cut = (frame: Frame): Frame => frameOf(Buffer.concat(frame.chunks).subarray(0, -1))
    const longer = (frame: Frame): Frame => frameOf(...frame.chunks, Buffer.alloc(4))
    for (const damage of [cut, longer]) {
      assert.throws(() => pipeline.open(damage(request()), client), WireError)
      assert.throws(() => pipeline.judgeResponse(exchange, damage(response())), WireError)
    }
  })

  test('A-10: what librdkafka leaves behind its request for all topics is dropped, and more than that is refused', () => {
    const { pipeline } = pipelineOf()
    const behind = (count: number, version: number): Frame =>
      frameOf(...request(version).chunks, Buffer.alloc(count, 1))
    assert.ok(opened(pipeline, behind(3, 12)).isTrimmed)
    assert.throws(() => pipeline.open(behind(4, 12), client), WireError)
    assert.throws(() => pipeline.open(behind(3, 8), client), WireError)
  })

  test('A-23: the answer to another request is refused', () => {
    const { pipeline } = pipelineOf()
    const { exchange } = opened(pipeline, request())
    assert.throws(() => pipeline.judgeResponse(exchange, response(12, {}, 6)), WireError)
  })

  test('a frame may lie in any chunks', () => {
    const { pipeline } = pipelineOf()
    const bytes = Buffer.concat(
      request(12, { topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', name: 'a-topic' }] }).chunks,
    )
    for (let at = 0; at <= bytes.length; at++) {
      const { exchange } = opened(pipeline, frameOf(bytes.subarray(0, at), bytes.subarray(at)))
      assert.equal((exchange.request as MetadataRequest).topics?.[0]?.name, 'a-topic')
    }
  })

  test('A-06: ten thousand refused requests leave no memory behind', () => {
    const { pipeline } = pipelineOf()
    const tags = Buffer.alloc(64 * 1024, 0x80)
    const bytes = Buffer.concat([Buffer.from('000000000003000c00000005ffff', 'hex'), Buffer.of(0x40), tags])
    bytes.writeInt32BE(bytes.length - 4)
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    for (let at = 0; at < 10_000; at++) assert.throws(() => pipeline.open(frameOf(bytes), client), WireError)
    assert.ok(process.memoryUsage().heapUsed - before < 64 * 1024 * 1024)
  })
})
