import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { DeadlineSweep } from '../../src/downstream/deadline-sweep.ts'
import { Session } from '../../src/downstream/session.ts'
import type { SessionContext, SessionLimits } from '../../src/downstream/session-context.ts'
import type { OutgoingRequest, Upstream, UpstreamEvents } from '../../src/downstream/upstream.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import { ServedApis } from '../../src/pipeline/served-apis.ts'
import { type ApiHandler, close, respond, type Stage, unchanged } from '../../src/pipeline/stage.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { zeroUuid } from '../../src/protocol/empty.ts'
import { apiVersionsRequestDefaults } from '../../src/protocol/generated/api-versions-request.ts'
import { fetchRequestDefaults } from '../../src/protocol/generated/fetch-request.ts'
import {
  fetchableTopicResponseDefaults,
  fetchResponseDefaults,
  fetchResponsePartitionDataDefaults,
} from '../../src/protocol/generated/fetch-response.ts'
import { metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import {
  metadataResponseDefaults,
  metadataResponseTopicDefaults,
} from '../../src/protocol/generated/metadata-response.ts'
import { produceRequestDefaults } from '../../src/protocol/generated/produce-request.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { ByteBudget } from '../../src/wire/byte-budget.ts'
import { ReceiveBuffers } from '../../src/wire/receive-buffers.ts'
import { Span } from '../../src/wire/span.ts'
import { encoded } from '../support/fake-broker.ts'
import { type MemoryLog, memoryLog } from '../support/memory-log.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const metadata = { ...metadataRequestDefaults(), topics: [] }
/** 30 KB. */
const large = {
  ...metadataResponseDefaults(),
  topics: [{ ...metadataResponseTopicDefaults(), name: 'n'.repeat(30_000) }],
}
const limits: SessionLimits = {
  frameBytes: 1024 * 1024,
  inFlight: 8,
  firstFrameTimeout: 10_000,
  frameTimeout: 10_000,
  idleTimeout: 60_000,
  writeStall: 10_000,
}

/** A broker that answers when it is told to. */
class FakeUpstream implements Upstream {
  isWritable = true
  isReading = true
  partialBytes = 0
  gather(): void {}
  readonly sent: OutgoingRequest[] = []
  ended = 0
  destroyed = 0
  readonly events: UpstreamEvents
  readonly #budget: ByteBudget

  constructor(events: UpstreamEvents, budget: ByteBudget) {
    this.events = events
    this.#budget = budget
  }

  send(request: OutgoingRequest): void {
    this.sent.push(request)
    request.held?.release()
  }

  answer(at = 0): void {
    const { exchange, onAnswer } = this.sent[at]!
    const bytes = encoded(exchange.header, metadataResponseDefaults())
    onAnswer?.({ chunks: [bytes], byteLength: bytes.length }, this.#budget.hold(bytes.length))
  }

  pauseReading(): void {
    this.isReading = false
  }
  resumeReading(): void {
    this.isReading = true
  }
  end(): void {
    this.ended++
  }
  destroy(): void {
    this.destroyed++
  }
}

describe('Session', () => {
  let server: Server
  let budget: ByteBudget
  let buffers: ReceiveBuffers
  let log: MemoryLog
  let nowMs: number
  const clients: RawClient[] = []

  beforeEach(async () => {
    server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    budget = new ByteBudget(10 * 1024 * 1024)
    buffers = new ReceiveBuffers()
    log = memoryLog()
    nowMs = 1_000
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close()
    server.close()
  })

  interface Opened {
    readonly client: RawClient
    readonly session: Session
    /** The session's end of the connection. */
    readonly socket: Socket
    readonly upstreams: FakeUpstream[]
    closings(): number
  }

  async function open(
    options: {
      handler?: ApiHandler
      limits?: Partial<SessionLimits>
      openUpstream?: SessionContext['openUpstream']
      leaveForGood?: SessionContext['leaveForGood']
    } = {},
  ): Promise<Opened> {
    const upstreams: FakeUpstream[] = []
    const stage: Stage = { name: 'test', handler: () => options.handler }
    const metrics = new Metrics({ apiName: () => undefined, processMetrics: false })
    const context: SessionContext = {
      pipeline: new Pipeline({ served: new ServedApis(), stages: [stage], metrics }),
      buffers,
      leaveForGood: options.leaveForGood ?? {
        requests: new Set([ApiKey.Produce]),
        answers: new Set([ApiKey.Fetch]),
      },
      openUpstream: async (_, events) => {
        const upstream = new FakeUpstream(events, budget)
        upstreams.push(upstream)
        return upstream
      },
      budget,
      limits: { ...limits, ...options.limits },
      sweep: new DeadlineSweep(() => nowMs),
      metrics,
      log: log.log,
      now: () => nowMs,
    }
    const accepted = new Promise<Socket>(resolve => server.once('connection', resolve))
    const client = await connectRaw({ port: (server.address() as { port: number }).port })
    clients.push(client)
    let closings = 0
    const known = { connection: 1, listener: 'l', address: 'a:1', ip: 'a', principal: 'User:a', nodeId: undefined }
    const openUpstream = options.openUpstream ?? context.openUpstream
    const socket = await accepted
    const session = new Session(socket, known, { ...context, openUpstream }, () => closings++)
    return { client, session, socket, upstreams, closings: () => closings }
  }

  /** With a broker that takes nothing: what was sent to it never leaves. */
  async function openHolding(options: Parameters<typeof open>[0] = {}): Promise<Opened> {
    const upstreams: FakeUpstream[] = []
    const opened = await open({
      ...options,
      openUpstream: async (_, events) => {
        const upstream = new FakeUpstream(events, budget)
        upstream.send = request => void upstream.sent.push(request)
        upstreams.push(upstream)
        return upstream
      },
    })
    return { ...opened, upstreams }
  }

  const reasons = () => log.lines('connection closed').map(({ details }) => details?.reason)

  test('opens its broker connection with the first request that needs one, and once', async () => {
    const { client, upstreams } = await open()
    await delay(20)
    assert.equal(upstreams.length, 0)
    const answers = [1, 2, 3].map(() => client.send(ApiKey.Metadata, 1, metadata))
    await until('three requests', () => upstreams[0]?.sent.length === 3)
    for (let at = 0; at < 3; at++) upstreams[0]!.answer(at)
    await Promise.all(answers.map(({ answer }) => answer()))
    assert.equal(upstreams.length, 1)
  })

  test('any number of answers of its own, one in flight, need no deeper stack', async () => {
    const { client, socket } = await open({ limits: { inFlight: 1 } })
    const bytes = client.request(ApiKey.ApiVersions, 4, apiVersionsRequestDefaults())
    bytes.writeInt16BE(99, 6)
    const count = 300_000
    client.socket.pause()
    client.socket.write(Buffer.alloc(count * bytes.length, bytes))
    let read = 0
    // Not read on: as many bytes as at the look before, and not all.
    while (read === 0 || read < socket.bytesRead) {
      read = socket.bytesRead
      await delay(200)
    }
    assert.ok(read < count * bytes.length, `${read} bytes were read`)
    assert.ok(socket.writableLength < 1024 * 1024, `${socket.writableLength} bytes of answers wait`)
    client.socket.resume()
    await until('all answers', () => client.frames.length === count || client.isClosed, 30_000)
    assert.equal(client.frames.length, count)
  })

  test('the end of a client is noticed while all its requests in flight wait for answers', async () => {
    const { client, upstreams, closings } = await open({ limits: { inFlight: 2 } })
    for (let at = 0; at < 2; at++) client.send(ApiKey.Metadata, 1, metadata)
    await until('both are sent', () => upstreams[0]?.sent.length === 2)
    await delay(20)
    client.socket.end()
    await until('it is closed', () => closings() === 1)
    assert.ok(upstreams[0]!.ended + upstreams[0]!.destroyed > 0)
  })

  test('a client is read no further than one request past what is in flight', async () => {
    const { client, socket, upstreams } = await open({ limits: { inFlight: 1 } })
    const bytes = client.request(ApiKey.Metadata, 1, {
      ...metadata,
      topics: [{ topicId: zeroUuid, name: 'n'.repeat(20_000) }],
    })
    const count = 500
    client.socket.write(Buffer.alloc(count * bytes.length, bytes))
    await until('one is sent', () => upstreams[0]?.sent.length === 1)
    await delay(100)
    assert.ok(socket.bytesRead < 2 * 64 * 1024 + bytes.length, `${socket.bytesRead} bytes were read`)
    for (let at = 0; at < count; at++) {
      await until('the next is sent', () => upstreams[0]!.sent.length > at)
      upstreams[0]!.answer(at)
    }
    await until('all are answered', () => client.frames.length === count)
  })

  test('a large request counts against the budget, as large as it is decoded, until it is answered', async () => {
    const { client, upstreams } = await open()
    const names = Array.from({ length: 2_000 }, (_, at) => ({ topicId: zeroUuid, name: `topic-${at}` }))
    const asked = client.send(ApiKey.Metadata, 1, { ...metadata, topics: names })
    await until('it is sent', () => upstreams[0]?.sent.length === 1)
    assert.equal(budget.inUseBytes, upstreams[0]!.sent[0]!.byteLength + names.length * 150)
    upstreams[0]!.answer()
    await asked.answer()
    await until('nothing is held', () => budget.inUseBytes === 0)
    const later = await open()
    later.client.send(ApiKey.Metadata, 1, { ...metadata, topics: names })
    await until('it is sent', () => later.upstreams[0]?.sent.length === 1)
    later.session.destroy()
    assert.equal(budget.inUseBytes, 0)
  })

  test('answers made here that wait for one of a broker are few, count against the budget, and all leave in the end', async () => {
    let judged = 0
    const { client, upstreams } = await open({
      limits: { inFlight: 1_000 },
      handler: { request: () => (judged++ === 0 ? unchanged : respond(large)) },
    })
    const count = 100
    client.socket.write(
      Buffer.concat(Array.from({ length: count }, () => client.request(ApiKey.Metadata, 1, metadata))),
    )
    await until('one is sent', () => upstreams[0]?.sent.length === 1)
    await delay(50)
    const answered = judged - 1
    assert.ok(answered * 30_000 < 600_000, `${answered} answers wait`)
    assert.ok(budget.inUseBytes >= answered * 30_000, `${budget.inUseBytes} bytes are counted for ${answered} answers`)
    upstreams[0]!.answer()
    await until('all are answered', () => client.frames.length === count)
    await until('nothing is held', () => budget.inUseBytes === 0)
  })

  test('answers made here are given back when their client leaves before their turn', async () => {
    let judged = 0
    const { client, session } = await open({
      handler: { request: () => (judged++ === 0 ? unchanged : respond(large)) },
    })
    for (let at = 0; at < 3; at++) client.send(ApiKey.Metadata, 1, metadata)
    await until('they wait', () => judged === 3 && budget.inUseBytes >= 60_000)
    session.destroy()
    assert.equal(budget.inUseBytes, 0)
  })

  test('nothing is sent for a client that left while its request was judged', async () => {
    let judge = (): void => undefined
    const waiting = new Promise<typeof unchanged>(resolve => {
      judge = () => resolve(unchanged)
    })
    const { client, upstreams, session, closings } = await open({ handler: { request: () => waiting } })
    client.send(ApiKey.Produce, 3, { ...produceRequestDefaults(), acks: -1 })
    await delay(20)
    session.destroy()
    judge()
    await delay(20)
    assert.deepEqual([upstreams.length, closings()], [0, 1])
  })

  test('a broker connection that is there only after the client has left is closed', async () => {
    let connectNow = (): void => undefined
    let upstream: FakeUpstream | undefined
    const { client, session } = await open({
      openUpstream: (_, events) =>
        new Promise(resolve => {
          connectNow = () => {
            upstream = new FakeUpstream(events, budget)
            resolve(upstream)
          }
        }),
    })
    client.send(ApiKey.Metadata, 1, metadata)
    await delay(20)
    session.destroy()
    connectNow()
    await until('it is closed', () => upstream?.destroyed === 1)
    assert.equal(upstream!.sent.length, 0)
  })

  test('a stage that fails closes the connection and no other, loudly, and holds nothing', async () => {
    const { client, closings } = await open({ handler: { request: () => assert.fail('a defect') } })
    client.send(ApiKey.Metadata, 1, metadata)
    await client.expectClosed()
    assert.equal(closings(), 1)
    assert.equal(log.lines('connection closed')[0]!.level, 'error')
    const later = await open({ handler: { response: () => Promise.reject(new Error('a defect')) } })
    later.client.send(ApiKey.Metadata, 1, metadata)
    await until('it is sent', () => later.upstreams[0]?.sent.length === 1)
    later.upstreams[0]!.answer()
    await later.client.expectClosed()
    assert.equal(budget.inUseBytes, 0)
  })

  test('a stage may answer, or close; then no broker is asked', async () => {
    const answering = await open({ handler: { request: () => respond(metadataResponseDefaults()) } })
    await answering.client.send(ApiKey.Metadata, 1, metadata).answer()
    assert.equal(answering.upstreams.length, 0)
    const closing = await open({ handler: { request: () => close('because') } })
    closing.client.send(ApiKey.Metadata, 1, metadata)
    await closing.client.expectClosed()
    assert.equal(log.lines('request refused, connection closed')[0]!.details?.reason, 'because')
  })

  describe('what an answer was received into', () => {
    const given: string[] = []
    beforeEach(() => given.splice(0))

    /** Answers the request at `at` with so many bytes of records. */
    function answerFetch({ upstreams }: Opened, at: number, recordBytes: number): Buffer {
      const { exchange, onAnswer } = upstreams[0]!.sent[at]!
      const records = Span.of(Buffer.alloc(recordBytes, at))
      const partitions = [{ ...fetchResponsePartitionDataDefaults(), records }]
      const responses = [{ ...fetchableTopicResponseDefaults(), topic: 't', partitions }]
      const bytes = encoded(exchange.header, { ...fetchResponseDefaults(), responses })
      const frame = { chunks: [bytes], byteLength: bytes.length, giveBack: () => given.push(`fetch ${at}`) }
      onAnswer?.(frame, budget.hold(bytes.length))
      return bytes
    }

    async function asked(count: number): Promise<Opened> {
      const opened = await open()
      for (let at = 0; at < count; at++) opened.client.send(ApiKey.Fetch, 4, fetchRequestDefaults())
      await until('all are sent', () => opened.upstreams[0]?.sent.length === count)
      return opened
    }

    test('is given back when it has left, and not while it waits for its turn or for its client', async () => {
      const opened = await asked(2)
      const { client } = opened
      const second = answerFetch(opened, 1, 1_000_000)
      await delay(30)
      assert.deepEqual(given, [], 'before its turn')
      client.socket.pause()
      const first = answerFetch(opened, 0, 32 * 1024 * 1024)
      await delay(30)
      assert.deepEqual(given, [], 'before its client took it')
      client.socket.resume()
      await until('both have left', () => given.length === 2)
      assert.deepEqual(given, ['fetch 0', 'fetch 1'])
      await until('both are here', () => client.frames.length === 2)
      assert.ok(client.frames[0]!.equals(first) && client.frames[1]!.equals(second))
    })

    test('is not given back where the client left before it had all', async () => {
      const opened = await asked(3)
      opened.client.socket.pause()
      answerFetch(opened, 0, 32 * 1024 * 1024)
      answerFetch(opened, 2, 1_000_000)
      await delay(30)
      opened.session.destroy()
      answerFetch(opened, 1, 1_000_000)
      await delay(30)
      assert.deepEqual(given, [])
      assert.equal(budget.inUseBytes, 0)
    })

    test('is not given back where a stage may still look at it', async () => {
      const { client, upstreams } = await open()
      const asked = client.send(ApiKey.Metadata, 1, metadata)
      await until('it is sent', () => upstreams[0]?.sent.length === 1)
      const { exchange, onAnswer } = upstreams[0]!.sent[0]!
      const bytes = encoded(exchange.header, metadataResponseDefaults())
      const frame = { chunks: [bytes], byteLength: bytes.length, giveBack: () => given.push('metadata') }
      onAnswer?.(frame, budget.hold(bytes.length))
      await asked.answer()
      await until('it has left', () => budget.inUseBytes === 0)
      assert.deepEqual(given, [])
    })
  })

  describe('what a request was received into', () => {
    const produceTo = (bytes: number) => ({
      ...produceRequestDefaults(),
      acks: -1,
      topicData: [
        { name: 't', topicId: zeroUuid, partitionData: [{ index: 0, records: Span.of(Buffer.alloc(bytes, 7)) }] },
      ],
    })

    async function produced(options: Parameters<typeof open>[0], bytes = 65_536): Promise<OutgoingRequest> {
      const { client, upstreams } = await openHolding(options)
      const request = client.request(ApiKey.Produce, 3, produceTo(bytes))
      client.socket.write(request.subarray(0, 40_000))
      await until('it is begun', () => buffers.begunBytes > 0)
      assert.equal(budget.inUseBytes, buffers.begunBytes, 'counted whole before it is here')
      client.socket.write(request.subarray(40_000))
      await until('it is sent', () => upstreams[0]?.sent.length === 1)
      return upstreams[0]!.sent[0]!
    }

    test('is given back when it has left, and is counted until then; nobody finds the request any more', async () => {
      const { held, chunks, exchange } = await produced({}, 200_000)
      assert.equal(chunks.length, 1)
      assert.equal(budget.inUseBytes, chunks[0]!.buffer.byteLength)
      assert.equal(exchange.request, undefined)
      assert.equal(buffers.idleBytes, 0)
      held!.left()
      assert.equal(buffers.idleBytes, chunks[0]!.buffer.byteLength)
      assert.equal(budget.inUseBytes, 0)
    })

    test('is not given back where it was given up', async () => {
      const { held } = await produced({})
      held!.release()
      held!.left()
      assert.equal(buffers.idleBytes, 0)
    })

    test('is not given back where stages may still look at it', async () => {
      const { held, exchange } = await produced({ leaveForGood: { requests: new Set(), answers: new Set() } })
      held!.left()
      assert.equal(buffers.idleBytes, 0)
      assert.ok(exchange.request !== undefined)
    })
  })

  test('requests for which there is no room are not read on, and those that are read are counted', async () => {
    budget = new ByteBudget(1024 * 1024)
    const opened: Opened[] = []
    for (let at = 0; at < 12; at++) opened.push(await openHolding())
    const sent = () => opened.flatMap(({ upstreams }) => upstreams[0]?.sent ?? [])
    for (const { client } of opened) {
      const partitionData = [{ index: 0, records: Span.of(Buffer.alloc(250_000, 7)) }]
      const body = {
        ...produceRequestDefaults(),
        acks: -1,
        topicData: [{ name: 't', topicId: zeroUuid, partitionData }],
      }
      const bytes = client.request(ApiKey.Produce, 3, body)
      client.socket.write(bytes.subarray(0, 40_000))
      client.socket.write(bytes.subarray(40_000))
    }
    await until('some wait', () => budget.waitingCount > 0)
    await delay(50)
    const heldBytes = sent().reduce((sum, { byteLength }) => sum + byteLength, 0)
    assert.ok(heldBytes <= budget.inUseBytes, `${heldBytes} bytes sent, ${budget.inUseBytes} counted`)
    assert.ok(sent().length <= 5, `${sent().length} requests in 1 MiB`)
    for (const { session } of opened) session.destroy()
    for (const { held } of sent()) held?.release()
    assert.equal(budget.inUseBytes, 0)
    assert.equal(budget.waitingCount, 0)
  })

  test('the time of a request begins with it, however long its client was quiet before', async () => {
    const { client, session } = await open({ limits: { firstFrameTimeout: 1_000_000, idleTimeout: 1_000_000 } })
    nowMs += 50_000
    client.socket.write(Buffer.concat([Buffer.from([0, 1, 0, 0]), Buffer.alloc(40_000)]))
    await until('it is begun', () => buffers.begunBytes > 0)
    session.checkDeadlines(nowMs + 9_000)
    assert.deepEqual(reasons(), [])
  })

  test('a request that lies in a slab is late like any other, and its client is not idle meanwhile', async () => {
    const { client, session } = await open({ limits: { idleTimeout: 1_000, firstFrameTimeout: 60_000 } })
    const bytes = client.request(ApiKey.Produce, 3, {
      ...produceRequestDefaults(),
      topicData: [
        { name: 't', topicId: zeroUuid, partitionData: [{ index: 0, records: Span.of(Buffer.alloc(65_536)) }] },
      ],
    })
    client.socket.write(bytes.subarray(0, 40_000))
    await until('it is begun', () => buffers.begunBytes > 0)
    session.checkDeadlines(nowMs + 9_000)
    assert.deepEqual(reasons(), [])
    session.checkDeadlines(nowMs + 12_000)
    assert.deepEqual(reasons(), ['a frame was not complete in time'])
    assert.equal(buffers.begunBytes, 0)
  })

  test('requests are judged one after the other, also where one takes its time', async () => {
    const judged: number[] = []
    const handler: ApiHandler = {
      async request(_, { header }) {
        await delay(header.correlationId === 0 ? 50 : 1)
        judged.push(header.correlationId)
        return unchanged
      },
    }
    const { client, upstreams } = await open({ handler })
    for (let at = 0; at < 4; at++) client.send(ApiKey.Metadata, 1, metadata)
    await until('all are sent', () => upstreams[0]?.sent.length === 4)
    assert.deepEqual(judged, [0, 1, 2, 3])
    assert.deepEqual(
      upstreams[0]!.sent.map(({ exchange }) => exchange.header.correlationId),
      [0, 1, 2, 3],
    )
  })

  test('takes no more requests than may be in flight, and goes on with every answer', async () => {
    const { client, upstreams } = await open({ limits: { inFlight: 3 } })
    for (let at = 0; at < 10; at++) client.send(ApiKey.Metadata, 1, metadata)
    await until('three', () => upstreams[0]?.sent.length === 3)
    await delay(30)
    assert.equal(upstreams[0]!.sent.length, 3)
    for (let at = 0; at < 10; at++) {
      await until('the next', () => upstreams[0]!.sent.length > at)
      upstreams[0]!.answer(at)
    }
    await until('all answers', () => client.frames.length === 10)
  })

  test('takes nothing while the broker does not take what is sent', async () => {
    const { client, upstreams } = await open()
    client.send(ApiKey.Metadata, 1, metadata)
    await until('one', () => upstreams[0]?.sent.length === 1)
    upstreams[0]!.isWritable = false
    client.send(ApiKey.Metadata, 1, metadata)
    await delay(30)
    assert.equal(upstreams[0]!.sent.length, 1)
    upstreams[0]!.isWritable = true
    upstreams[0]!.events.onWritable()
    await until('the other', () => upstreams[0]!.sent.length === 2)
  })

  test('the time of a request begins with the answer to the one before it', async () => {
    const { client, session, upstreams } = await open()
    const produce = { ...produceRequestDefaults(), acks: -1, timeoutMs: 1_000 }
    client.send(ApiKey.FindCoordinator, 0, { key: 'g', keyType: 0, coordinatorKeys: [] })
    client.send(ApiKey.Produce, 3, produce)
    await until('both', () => upstreams[0]?.sent.length === 2)
    nowMs += 100_000
    session.checkDeadlines(nowMs)
    assert.deepEqual(reasons(), [])
    const { exchange, onAnswer } = upstreams[0]!.sent[0]!
    const found = { throttleTimeMs: 0, errorCode: 0, errorMessage: '', nodeId: 1, host: '', port: 0, coordinators: [] }
    const bytes = encoded(exchange.header, found)
    onAnswer!({ chunks: [bytes], byteLength: bytes.length }, budget.hold(bytes.length))
    await client.frameAt(0)
    session.checkDeadlines(nowMs + 61_000)
    assert.deepEqual(reasons(), [])
    session.checkDeadlines(nowMs + 61_001)
    assert.deepEqual(reasons(), ['the broker did not answer in the time that the request names'])
  })

  test('an answer that was begun has to grow; one that nobody reads has not', async () => {
    const { client, session, upstreams } = await open()
    client.send(ApiKey.Metadata, 1, metadata)
    await until('it is sent', () => upstreams[0]?.sent.length === 1)
    const upstream = upstreams[0]!
    for (const [partialBytes, isReading] of [
      [10, true],
      [20, true],
      [20, false],
      [20, true],
    ] as const) {
      Object.assign(upstream, { partialBytes, isReading })
      nowMs += 9_000
      session.checkDeadlines(nowMs)
    }
    assert.deepEqual(reasons(), [])
    session.checkDeadlines(nowMs + 10_001)
    assert.deepEqual(reasons(), ['the broker did not finish its answer'])
    await client.expectClosed()
    assert.equal(upstream.destroyed, 1)
  })

  test('is idle only when nothing is asked and nothing comes', async () => {
    const { client, session, upstreams } = await open()
    client.send(ApiKey.Metadata, 1, metadata)
    await until('it is sent', () => upstreams[0]?.sent.length === 1)
    nowMs += 1_000_000
    session.checkDeadlines(nowMs)
    upstreams[0]!.answer()
    await client.frameAt(0)
    session.checkDeadlines(nowMs + 60_000)
    assert.deepEqual(reasons(), [])
    session.checkDeadlines(nowMs + 60_001)
    assert.deepEqual(reasons(), ['idle'])
  })

  test('answers that are ready and may not leave yet are given back at the end', async () => {
    const { client, session, upstreams } = await open({
      handler: { response: (_, { header }) => (header.correlationId === 0 ? new Promise(() => undefined) : unchanged) },
    })
    for (let at = 0; at < 3; at++) client.send(ApiKey.Metadata, 1, metadata)
    await until('all are sent', () => upstreams[0]?.sent.length === 3)
    for (let at = 0; at < 3; at++) upstreams[0]!.answer(at)
    assert.ok(budget.inUseBytes > 0)
    session.destroy()
    assert.equal(budget.inUseBytes, 0)
  })

  test('drain waits for what is judged and for what is asked, and takes nothing new', async () => {
    let judge = (): void => undefined
    const waiting = new Promise<typeof unchanged>(resolve => {
      judge = () => resolve(unchanged)
    })
    const { client, session, upstreams } = await open({ handler: { request: () => waiting } })
    client.send(ApiKey.Metadata, 1, metadata)
    await delay(20)
    session.drain()
    judge()
    await until('it is sent', () => upstreams[0]?.sent.length === 1)
    client.send(ApiKey.Metadata, 1, metadata)
    await delay(20)
    upstreams[0]!.answer()
    await client.frameAt(0)
    await client.expectClosed()
    assert.deepEqual([upstreams[0]!.sent.length, client.frames.length], [1, 1])
  })

  test('tells of its end once, whatever ends it', async () => {
    const { client, session, upstreams, closings } = await open()
    client.send(ApiKey.Metadata, 1, metadata)
    await until('it is sent', () => upstreams[0]?.sent.length === 1)
    upstreams[0]!.events.onClosed(new Error('gone'))
    client.socket.destroy()
    session.destroy()
    session.drain()
    await until('it is over', () => closings() === 1)
    await delay(20)
    assert.equal(closings(), 1)
  })
})
