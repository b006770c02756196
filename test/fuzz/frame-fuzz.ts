/**
 * Frames that were true once and are no longer, through the whole way of a frame: splitter, header, decoder, stages and
 * encoder, for requests and for answers. The seeds are what real clients said and Java's own bytes of every message.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createReplicaGuard } from '../../src/acl/replica-id.ts'
import { WireError } from '../../src/errors.ts'
import { type Client, Exchange } from '../../src/pipeline/exchange.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import { ServedApis } from '../../src/pipeline/served-apis.ts'
import type { RequestOutcome } from '../../src/pipeline/stage.ts'
import { allApis, describeApi } from '../../src/protocol/api-table.ts'
import { responseHeaderVersion } from '../../src/protocol/request-header.ts'
import { createHiddenText } from '../../src/rewrite/hidden-text.ts'
import { createRewrite } from '../../src/rewrite/rewrite.ts'
import { portsAddressBook } from '../../src/topology/address-book.ts'
import type { Frame } from '../../src/wire/frame.ts'
import { FrameSplitter } from '../../src/wire/frame-splitter.ts'
import { kebabCase } from '../../tools/generator/model.ts'
import { Random } from '../../tools/golden/random.ts'
import { recordedExchanges } from './recorded-frames.ts'

export interface FuzzReport {
  readonly frames: number
  readonly accepted: number
  readonly refused: number
  /** Of no API or version that is served. */
  readonly unserved: number
  /** Never complete: they announce more than came. */
  readonly incomplete: number
  readonly slowestMs: number
  readonly heapGrowthBytes: number
  readonly bufferGrowthBytes: number
}

/** Bytes behind the length prefix, and whose answer they are where they are one. */
interface Sample {
  readonly payload: Buffer
  readonly apiKey: number
  readonly apiVersion: number
  readonly isResponse: boolean
}

const frameBytesMax = 1024 * 1024
const correlationId = 5
const client: Client = Object.freeze({
  connection: 1,
  listener: 'l',
  address: 'a:1',
  ip: 'a',
  principal: 'User:a',
  nodeId: 1,
})
const hostile = [
  '7fffffff',
  '80000000',
  'ffffffff',
  'fffffffe',
  '7fff',
  '8000',
  'ffff',
  'ffffffff0f',
  'ffffffff7f',
  '8080808000',
  '00',
  '01',
  '40',
].map(text => Buffer.from(text, 'hex'))

function golden(name: string): { version: number; bytes: Buffer }[] {
  const file = join(import.meta.dirname, '..', '..', '..', 'test', 'golden', `${kebabCase(name)}.json`)
  const entries = JSON.parse(readFileSync(file, 'utf8')) as { version: number; bytes: string }[]
  return entries.map(({ version, bytes }) => ({ version, bytes: Buffer.from(bytes, 'base64') }))
}

function requestHeader(apiKey: number, apiVersion: number, isFlexible: boolean): Buffer {
  const header = Buffer.from('00000000000000050006636c69656e74', 'hex')
  header.writeInt16BE(apiKey, 0)
  header.writeInt16BE(apiVersion, 2)
  return isFlexible ? Buffer.concat([header, Buffer.of(0)]) : header
}

function responseHeader(apiKey: number, apiVersion: number): Buffer {
  const header = Buffer.alloc(responseHeaderVersion(apiKey, apiVersion) === 1 ? 5 : 4)
  header.writeInt32BE(correlationId, 0)
  return header
}

function goldenSamples(): Sample[] {
  return allApis.flatMap(({ key, name, flexibleFrom }) => [
    ...golden(`${name}Request`).map(({ version, bytes }) => ({
      payload: Buffer.concat([requestHeader(key, version, version >= flexibleFrom), bytes]),
      apiKey: key,
      apiVersion: version,
      isResponse: false,
    })),
    ...golden(`${name}Response`).map(({ version, bytes }) => ({
      payload: Buffer.concat([responseHeader(key, version), bytes]),
      apiKey: key,
      apiVersion: version,
      isResponse: true,
    })),
  ])
}

function recordedSamples(): Sample[] {
  return recordedExchanges().flatMap(({ apiKey, apiVersion, request, response }) => {
    const asked = { payload: Buffer.from(request, 'base64').subarray(4), apiKey, apiVersion, isResponse: false }
    if (response === null) return [asked]
    const payload = Buffer.from(response, 'base64').subarray(4)
    payload.writeInt32BE(correlationId, 0)
    return [asked, { payload, apiKey, apiVersion, isResponse: true }]
  })
}

/** A part of another message, where a parser expects this one's. */
function spliced(bytes: Buffer, other: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1)
  const from = random.below(other.length + 1)
  return Buffer.concat([
    bytes.subarray(0, at),
    other.subarray(from, from + random.below(64)),
    bytes.subarray(at + random.below(16)),
  ])
}

function mutated(bytes: Buffer, other: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1)
  const [front, rest] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (random.below(9)) {
    case 0:
      return front
    case 1:
      return Buffer.concat([front, random.bytes(1 + random.below(4)), rest])
    case 2:
      return Buffer.concat([front, rest.subarray(1 + random.below(4))])
    case 3: {
      const evil = random.pick(hostile)
      return Buffer.concat([front, evil, random.chance(2) ? rest : rest.subarray(evil.length)])
    }
    case 4:
      return spliced(bytes, other, random)
    case 5: {
      const repeated = rest.subarray(0, random.below(32))
      return Buffer.concat([front, ...Array.from({ length: 1 + random.below(20) }, () => repeated), rest])
    }
    default: {
      const copy = Buffer.from(bytes)
      if (copy.length > 0) copy[random.below(copy.length)]! ^= 1 << random.below(8)
      return copy
    }
  }
}

function framed(payload: Buffer, random: Random): Buffer {
  const frame = Buffer.concat([Buffer.alloc(4), payload])
  // Lengths that lie are the splitter's to notice; most must not, or nothing behind it would be tried.
  const lie = random.chance(2) ? random.bytes(4).readInt32BE(0) : payload.length + random.below(64) - 32
  frame.writeInt32BE(random.chance(25) ? lie : payload.length, 0)
  return frame
}

/** The stream in the pieces in which a network may bring it. */
function cut(bytes: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = random.chance(3) ? 1 + random.below(8) : 1 + random.below(bytes.length)
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

export class FrameFuzz {
  readonly #samples = [...goldenSamples(), ...recordedSamples()]
  readonly #pipeline: Pipeline
  readonly #served = new ServedApis()
  readonly #counts = { accepted: 0, refused: 0, unserved: 0, incomplete: 0 }

  constructor() {
    const rewrite = createRewrite({
      book: portsAddressBook('gateway.example', { first: 9100, count: 100, firstId: 0 }),
      served: this.#served,
      hidden: createHiddenText(() => ['broker.upstream.internal', 'kafka']),
      clusterId: () => 'c',
      brokersSeen: () => undefined,
    })
    this.#pipeline = new Pipeline({
      served: this.#served,
      stages: [createReplicaGuard(), rewrite],
      metrics: { unknownTags: () => undefined },
    })
  }

  get sampleCount(): number {
    return this.#samples.length
  }

  /** @throws an error that names the seed and holds the bytes, for anything that is neither accepted nor a WireError. */
  run(seed: number, frames: number): FuzzReport {
    const random = new Random(seed)
    this.#warmUp()
    const before = memory()
    let slowestMs = 0
    for (let at = 0; at < frames; at++) {
      const sample = random.pick(this.#samples)
      let payload = sample.payload
      for (let left = random.chance(3) ? 3 : 1; left > 0; left--)
        payload = mutated(payload, random.pick(this.#samples).payload, random)
      const pieces = cut(framed(payload, random), random)
      const started = performance.now()
      try {
        this.#push(sample, pieces)
      } catch (cause) {
        const hex = Buffer.concat(pieces).toString('hex')
        const { apiKey, apiVersion, isResponse } = sample
        throw new Error(
          `VKITM_SEED=${seed}, frame ${at}: ${isResponse ? 'answer' : 'request'} ${apiKey} v${apiVersion}: ${hex}`,
          { cause },
        )
      }
      slowestMs = Math.max(slowestMs, performance.now() - started)
    }
    const after = memory()
    return {
      frames,
      ...this.#counts,
      slowestMs,
      heapGrowthBytes: after.heapUsed - before.heapUsed,
      bufferGrowthBytes: after.arrayBuffers - before.arrayBuffers,
    }
  }

  /** Every sample unharmed: what is served must be accepted, and code is loaded and plans are made before memory is measured. */
  #warmUp(): void {
    for (const sample of this.#samples) {
      const isServed = this.#served.find(sample.apiKey, sample.apiVersion) !== undefined
      const { payload } = sample
      const outcome = sample.isResponse ? this.#answer(sample, frameOf(payload)) : this.#request(frameOf(payload))
      assert.equal(outcome, isServed ? 'accepted' : 'unserved', `${sample.apiKey} v${sample.apiVersion}`)
    }
  }

  #push(sample: Sample, pieces: readonly Buffer[]): void {
    const splitter = new FrameSplitter({ payloadBytesMin: sample.isResponse ? 4 : 8, payloadBytesMax: frameBytesMax })
    let frames = 0
    try {
      for (const piece of pieces) {
        splitter.push(piece)
        for (let frame = splitter.next(); frame !== undefined; frame = splitter.next()) {
          frames++
          this.#counts[sample.isResponse ? this.#answer(sample, frame) : this.#request(frame)]++
        }
      }
      if (frames === 0) this.#counts.incomplete++
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#counts.refused++
    }
  }

  #request(frame: Frame): 'accepted' | 'unserved' {
    const opened = this.#pipeline.open(frame, client)
    if (!('exchange' in opened)) return 'unserved'
    const outcome = settled(this.#pipeline.judgeRequest(opened.exchange))
    if (outcome.kind === 'close') return 'accepted'
    if (outcome.kind === 'respond') {
      opened.exchange.response = outcome.response
      this.#pipeline.encodeResponse(opened.exchange)
      return 'accepted'
    }
    // Whatever is forwarded is read by a broker as it was judged.
    const { chunks, byteLength } = this.#pipeline.encodeRequest(opened.exchange)
    const again = this.#pipeline.open({ chunks, byteLength }, client)
    assert.ok('exchange' in again && !again.isTrimmed)
    if (!opened.isTrimmed) assert.deepEqual(comparable(again.exchange.request), comparable(opened.exchange.request))
    return 'accepted'
  }

  #answer({ apiKey, apiVersion }: Sample, frame: Frame): 'accepted' | 'unserved' {
    if (this.#served.find(apiKey, apiVersion) === undefined) return 'unserved'
    const exchange = new Exchange(
      client,
      describeApi(apiKey)!,
      { apiKey, apiVersion, correlationId, clientId: null },
      // Asked for an answer, where it is a Produce.
      { acks: -1 },
    )
    settled(this.#pipeline.judgeResponse(exchange, frame))
    this.#pipeline.encodeResponse(exchange)
    return 'accepted'
  }
}

function settled<Outcome extends RequestOutcome>(outcome: Outcome | Promise<Outcome>): Outcome {
  assert.ok(!(outcome instanceof Promise), 'no stage here waits')
  return outcome
}

const frameOf = (payload: Buffer): Frame => {
  const prefix = Buffer.alloc(4)
  prefix.writeInt32BE(payload.length)
  return { chunks: [prefix, payload], byteLength: payload.length + 4 }
}

/** Spans of the same bytes may lie in other chunks. */
function comparable(value: unknown): unknown {
  return JSON.stringify(value, (_, field: unknown) => {
    if (typeof field === 'bigint') return `${field}n`
    if (typeof field === 'number' && !Number.isFinite(field)) return String(field)
    if (field !== null && typeof field === 'object' && 'chunks' in field) {
      return Buffer.concat((field as { chunks: Buffer[] }).chunks).toString('latin1')
    }
    return field
  })
}

function memory(): NodeJS.MemoryUsage {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  return process.memoryUsage()
}

/** Files that seeds come from, so that a test can see that they are there. */
export const goldenFileCount = (): number =>
  readdirSync(join(import.meta.dirname, '..', '..', '..', 'test', 'golden')).filter(name => name.endsWith('.json'))
    .length
