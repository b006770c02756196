/** Order, back-pressure and ends: what happens between one client and one broker while both are alive, and after. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { decodeResponse, type RequestByKey } from '../../src/protocol/codec.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { apiVersionsRequestDefaults } from '../../src/protocol/generated/api-versions-request.ts'
import { fetchRequestDefaults } from '../../src/protocol/generated/fetch-request.ts'
import {
  fetchableTopicResponseDefaults,
  fetchResponseDefaults,
  fetchResponsePartitionDataDefaults,
} from '../../src/protocol/generated/fetch-response.ts'
import { findCoordinatorRequestDefaults } from '../../src/protocol/generated/find-coordinator-request.ts'
import { metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import {
  partitionProduceDataDefaults,
  produceRequestDefaults,
  topicProduceDataDefaults,
} from '../../src/protocol/generated/produce-request.ts'
import { produceResponseDefaults } from '../../src/protocol/generated/produce-response.ts'
import { Span } from '../../src/wire/span.ts'
import { encoded, type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import { freePorts } from '../support/free-ports.ts'
import type { LogLine } from '../support/memory-log.ts'
import { framed, type RawClient } from '../support/raw-client.ts'
import { startTestGateway, type TestGateway } from '../support/test-gateway.ts'
import { until, within } from '../support/until.ts'

const metadata = { ...metadataRequestDefaults(), topics: [] }

function produce(bytes: number, acks = -1): RequestByKey[typeof ApiKey.Produce] {
  const records = Span.of(Buffer.alloc(bytes, 1))
  return {
    ...produceRequestDefaults(),
    acks,
    timeoutMs: 1_000,
    topicData: [
      {
        ...topicProduceDataDefaults(),
        name: 't',
        partitionData: [{ ...partitionProduceDataDefaults(), index: 0, records }],
      },
    ],
  }
}

function fetched(bytes: number) {
  return {
    ...fetchResponseDefaults(),
    responses: [
      {
        ...fetchableTopicResponseDefaults(),
        topic: 't',
        partitions: [{ ...fetchResponsePartitionDataDefaults(), records: Span.of(Buffer.alloc(bytes, 2)) }],
      },
    ],
  }
}

const fetch = { ...fetchRequestDefaults(), maxWaitMs: 100 }

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** Either side's end closes the other within a second; a loaded machine gets a little more. */
const withinASecondMs = 2_500

describe('the flow between client and broker', () => {
  let broker: FakeBroker
  let gateway: TestGateway

  beforeEach(async () => {
    broker = await startFakeBroker()
    gateway = await startTestGateway({
      upstream: { bootstrap: [broker.address] },
      limits: {
        inFlight: 8,
        bufferedBytes: 8 * 1024 * 1024,
        writeStall: 1_000,
        idleTimeout: 60_000,
        frameTimeout: 700,
      },
    })
    broker.answer(ApiKey.Produce, () => produceResponseDefaults())
    broker.answer(ApiKey.Fetch, () => fetched(100))
  })
  afterEach(async () => {
    await gateway.stop()
    await broker.stop()
  })

  const bufferedBytes = () => gateway.metric('vkitm_buffered_bytes')
  const upstreamSocket = () => broker.seen.at(-1)!.socket

  async function asked(): Promise<RawClient> {
    const client = await gateway.connect()
    await client.ask(ApiKey.Metadata, 1, metadata)
    return client
  }

  test('A-21: answers pair with requests in order, whatever their correlation ids, and acks=0 has none', async () => {
    const client = await gateway.connect()
    let offset = 0n
    broker.answer(ApiKey.Produce, body => {
      if (body.acks === 0) return undefined
      const index = Number(offset++)
      return { ...produceResponseDefaults(), throttleTimeMs: index }
    })
    for (let at = 0; at < 20; at++) {
      client.socket.write(client.request(ApiKey.Produce, 3, produce(10, at % 3 === 1 ? 0 : -1), 5))
    }
    const expected = Array.from({ length: 20 }, (_, at) => at).filter(at => at % 3 !== 1).length
    await until('all answers', () => client.frames.length === expected)
    const answers = client.frames.map(frame => decodeResponse(ApiKey.Produce, 3, frame.subarray(4)))
    assert.deepEqual(
      answers.map(({ body }) => body.throttleTimeMs),
      Array.from({ length: expected }, (_, at) => at),
    )
    assert.ok(answers.every(({ correlationId }) => correlationId === 5))
    assert.equal(broker.seenOf(ApiKey.Produce).length, 20)
    await client.close()
  })

  test('A-21: answers that the gateway makes itself wait for their turn among those of the broker', async () => {
    const client = await gateway.connect()
    let answerFetch = (): void => undefined
    broker.answer(
      ApiKey.Fetch,
      () =>
        new Promise(resolve => {
          answerFetch = () => resolve(fetched(10))
        }),
    )
    client.send(ApiKey.Fetch, 4, fetch, 1)
    const tooNew = client.request(ApiKey.ApiVersions, 4, apiVersionsRequestDefaults(), 2)
    tooNew.writeInt16BE(99, 6)
    client.socket.write(tooNew)
    client.send(ApiKey.Metadata, 1, metadata, 3)
    await until('the broker was asked', () => broker.seenOf(ApiKey.Fetch).length === 1)
    await delay(50)
    assert.equal(client.frames.length, 0, 'an answer came before its turn')
    answerFetch()
    await until('all answers', () => client.frames.length === 3)
    assert.deepEqual(
      client.frames.map(frame => frame.readInt32BE(4)),
      [1, 2, 3],
    )
    await client.close()
  })

  test('A-16: an ApiVersions that is too new is answered in version 0 with error 35 and its own range alone', async () => {
    const client = await gateway.connect()
    for (const version of [6, 99, 0x7fff, -1]) {
      const bytes = client.request(ApiKey.ApiVersions, 4, apiVersionsRequestDefaults(), 9)
      bytes.writeInt16BE(version, 6)
      client.socket.write(bytes)
    }
    for (let at = 0; at < 4; at++) {
      const { body, correlationId } = decodeResponse(ApiKey.ApiVersions, 0, (await client.frameAt(at)).subarray(4))
      assert.equal(correlationId, 9)
      assert.equal(body.errorCode, ErrorCode.UNSUPPORTED_VERSION)
      assert.deepEqual(body.apiKeys, [{ apiKey: ApiKey.ApiVersions, minVersion: 0, maxVersion: 5 }])
    }
    assert.equal(broker.seen.length, 0)
    await client.close()
  })

  test('A-20: a client that pipelines without reading answers is not read further than the bounds', async () => {
    broker.answer(ApiKey.Fetch, () => fetched(100_000))
    const client = await gateway.connect()
    client.socket.pause()
    const bytes = client.request(ApiKey.Fetch, 4, fetch)
    for (let at = 0; at < 2_000; at++) client.socket.write(bytes)
    await until('the gateway stops reading', () => client.socket.writableLength > 0 || broker.seen.length > 8)
    await delay(300)
    const seen = broker.seen.length
    assert.ok(seen < 200, `${seen} requests were forwarded`)
    assert.ok((await bufferedBytes()) <= 8 * 1024 * 1024 + 200_000)
    await until('the stalled client is closed', () => broker.sockets.size === 1)
    assert.equal(await bufferedBytes(), 0)
    await client.close()
  })

  test('A-20: pipelining with reading goes on past the in-flight limit and loses nothing', async () => {
    const client = await gateway.connect()
    const bytes = client.request(ApiKey.Metadata, 1, metadata)
    client.socket.write(Buffer.concat(Array.from({ length: 5_000 }, () => bytes)))
    await until('all answers', () => client.frames.length === 5_000)
    await client.close()
  })

  test('a client that takes no byte for writeStall is closed, and what it kept is given back', async () => {
    broker.answer(ApiKey.Fetch, () => fetched(6 * 1024 * 1024))
    const client = await gateway.connect()
    client.socket.pause()
    client.send(ApiKey.Fetch, 4, fetch)
    await until('the answer waits', () => gateway.log.lines('connection closed').some(isStall))
    await until('the broker connection ends', () => broker.sockets.size === 1)
    assert.equal(await bufferedBytes(), 0)
    await client.close()
  })

  test('a stalled client does not stay open by sending bytes', async () => {
    broker.answer(ApiKey.Fetch, () => fetched(6 * 1024 * 1024))
    const client = await gateway.connect()
    client.socket.pause()
    client.send(ApiKey.Fetch, 4, fetch)
    const bytes = client.request(ApiKey.Metadata, 1, metadata)
    const trickle = setInterval(() => client.socket.write(bytes), 200)
    try {
      await until('it is closed', () => gateway.log.lines('connection closed').some(isStall))
    } finally {
      clearInterval(trickle)
    }
    await client.close()
  })

  test('a slow reader that takes bytes is not a stalled one', async () => {
    const bytes = 6 * 1024 * 1024
    broker.answer(ApiKey.Fetch, () => fetched(bytes))
    const client = await gateway.connect()
    client.send(ApiKey.Fetch, 4, fetch)
    client.socket.pause()
    while (client.receivedBytes < bytes && !client.isClosed) {
      client.socket.resume()
      await delay(5)
      client.socket.pause()
      await delay(150)
    }
    client.socket.resume()
    assert.equal((await client.frameAt(0)).length > bytes, true)
    await client.close()
  })

  test('a frame in progress holds no more budget than twice what came of it', async () => {
    const client = await asked()
    client.socket.write(Buffer.concat([framed(Buffer.alloc(10 * 1024 * 1024)).subarray(0, 4), Buffer.alloc(100)]))
    await delay(100)
    assert.ok((await bufferedBytes()) <= 64 * 1024, `${await bufferedBytes()} bytes for 104`)
    await client.close()
  })

  test('a large frame that cannot be decoded gives its budget back', async () => {
    const client = await asked()
    client.socket.write(framed(Buffer.alloc(300_000, 0xff)))
    await client.expectClosed()
    assert.equal(await bufferedBytes(), 0)
  })

  test('a large frame whose broker cannot be reached gives its budget back', async () => {
    const client = await gateway.connect({ port: gateway.portOf(2) })
    client.socket.write(client.request(ApiKey.Produce, 3, produce(1_000_000)))
    await until('it waits for its broker', () => client.socket.writableLength === 0)
    await client.close()
    const known = await gateway.connect({ port: gateway.portOf(2) })
    known.socket.write(known.request(ApiKey.Produce, 3, produce(1_000_000)))
    await known.expectClosed()
    await until('the first one, too', () => gateway.gateway !== undefined)
    assert.equal(await bufferedBytes(), 0)
  })

  test('a frame that had to wait for budget has all its time when it goes on', async () => {
    broker.answer(ApiKey.Fetch, () => fetched(7_900_000))
    const hog = await gateway.connect()
    hog.socket.pause()
    hog.send(ApiKey.Fetch, 4, fetch)
    await until('the budget is nearly full', () => broker.seenOf(ApiKey.Fetch).length === 1)
    const beyond = await asked()
    const large = await asked()
    const frame = large.request(ApiKey.Produce, 3, produce(2_000_000))
    // The one reservation that may go beyond the limit is taken by a frame that does not come to its end.
    beyond.socket.write(frame.subarray(0, 1_500_000))
    await delay(100)
    large.socket.write(frame)
    // Longer than frameTimeout, but its own bytes were not read meanwhile.
    await delay(900)
    hog.socket.resume()
    await within(
      'it is answered',
      large.frameAt(0).then(() => large.frameAt(1)),
    )
    await Promise.all([hog.close(), beyond.close(), large.close()])
  })

  test('A-22: the end of the client, by FIN, by RST or in the middle of a frame, ends the broker connection', async () => {
    for (const leave of [
      (client: RawClient) => client.socket.end(),
      (client: RawClient) => client.socket.resetAndDestroy(),
      (client: RawClient) => client.socket.end(client.request(ApiKey.Metadata, 1, metadata).subarray(0, 9)),
      (client: RawClient) => client.socket.destroy(),
    ]) {
      const client = await asked()
      const upstream = upstreamSocket()
      leave(client)
      await until('the broker hears of it', () => upstream.destroyed || upstream.readableEnded, withinASecondMs)
      await client.expectClosed()
    }
  })

  test('A-22: the end of the broker, by FIN, by RST or in the middle of a frame, ends the client connection', async () => {
    for (const leave of ['end', 'reset', 'half'] as const) {
      const client = await asked()
      const received = client.receivedBytes
      const upstream = upstreamSocket()
      if (leave === 'end') upstream.end()
      else if (leave === 'reset') upstream.resetAndDestroy()
      else {
        client.send(ApiKey.FindCoordinator, 0, findCoordinatorRequestDefaults())
        await until('it is asked', () => broker.seenOf(ApiKey.FindCoordinator).length === 1)
        upstream.end(framed(Buffer.alloc(100)).subarray(0, 50))
      }
      await client.expectClosed(withinASecondMs)
      assert.equal(client.receivedBytes, received, 'something partial was forwarded')
    }
  })

  test('A-22: what the broker answered before it ended still reaches the client', async () => {
    const client = await asked()
    broker.answer(ApiKey.Fetch, (_, seen) => {
      seen.socket.end(encoded(seen.header, fetched(400_000)))
      return undefined
    })
    client.send(ApiKey.Fetch, 4, fetch)
    const frame = await client.frameAt(1)
    assert.ok(frame.length > 400_000)
    await client.expectClosed(withinASecondMs)
  })

  test('A-22: hundreds of connections that end in every way leave nothing open', async () => {
    const bytes = (await gateway.connect()).request(ApiKey.Metadata, 1, metadata)
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 30 }, () => gateway.connect()))
      clients.forEach(({ socket }, at) => {
        if (at % 2 === 0) socket.write(at % 4 === 0 ? bytes : bytes.subarray(0, 7))
        if (at % 3 === 0) socket.end()
        else if (at % 3 === 1) socket.resetAndDestroy()
        else socket.destroy()
      })
      await Promise.all(clients.map(client => client.closed))
    }
    await until('all broker connections are closed', () => broker.sockets.size <= 1)
    for (let left = -1; left !== 1; ) {
      left = await gateway.metric('vkitm_connections')
      await delay(10)
    }
    assert.equal(await gateway.metric('vkitm_upstream_connections'), 0)
    assert.equal(await bufferedBytes(), 0)
  })

  for (const [what, damage] of [
    ['is longer than the limit', (frame: Buffer) => Buffer.concat([int32(17 * 1024 * 1024), frame.subarray(4)])],
    ['has a negative length', (frame: Buffer) => Buffer.concat([int32(-5), frame.subarray(4)])],
    [
      'has an unknown correlation id',
      (frame: Buffer) => Buffer.concat([frame.subarray(0, 4), int32(4711), frame.subarray(8)]),
    ],
    ['has bytes behind its body', (frame: Buffer) => framed(Buffer.concat([frame.subarray(4), Buffer.of(0)]))],
    ['is shorter than its body', (frame: Buffer) => framed(frame.subarray(4, -2))],
    ['comes twice', (frame: Buffer) => Buffer.concat([frame, frame])],
  ] as const) {
    test(`A-23: an answer that ${what} closes both connections and is not forwarded`, async () => {
      const client = await asked()
      const upstream = upstreamSocket()
      const received = client.receivedBytes
      broker.answer(ApiKey.Fetch, (_, seen) => damage(encoded(seen.header, fetched(100))))
      client.send(ApiKey.Fetch, 4, fetch)
      await client.expectClosed(withinASecondMs)
      await until('the broker connection is closed', () => upstream.destroyed, withinASecondMs)
      if (what !== 'comes twice') assert.equal(client.receivedBytes, received)
      else assert.ok(client.frames.length <= 2)
    })
  }

  test('A-23: an answer that never comes to its end closes both connections', async () => {
    const client = await asked()
    const upstream = upstreamSocket()
    const received = client.receivedBytes
    broker.answer(ApiKey.FindCoordinator, (_, seen) => {
      seen.socket.write(framed(Buffer.alloc(1_000)).subarray(0, 500))
      return undefined
    })
    client.send(ApiKey.FindCoordinator, 0, findCoordinatorRequestDefaults())
    await client.expectClosed()
    await until('the broker connection is closed', () => upstream.destroyed)
    assert.equal(client.receivedBytes, received)
  })

  test('an answer that nobody can hurry is waited for: there is no deadline but the request’s own', async () => {
    const client = await asked()
    let answer = (): void => undefined
    broker.answer(
      ApiKey.FindCoordinator,
      (_, seen) =>
        new Promise(resolve => {
          answer = () =>
            resolve(
              encoded(seen.header, {
                throttleTimeMs: 0,
                errorCode: 15,
                errorMessage: null,
                nodeId: -1,
                host: '',
                port: -1,
                coordinators: [],
              }),
            )
        }),
    )
    const { answer: arrived } = client.send(ApiKey.FindCoordinator, 0, findCoordinatorRequestDefaults())
    await delay(1_500)
    answer()
    await arrived()
    await client.close()
  })

  test('a port whose broker is not known closes its client at the connect deadline and leaves nothing behind', async () => {
    const client = await gateway.connect({ port: gateway.portOf(1) })
    client.send(ApiKey.Metadata, 1, metadata)
    await client.expectClosed()
    assert.ok(gateway.log.lines('connection closed').some(({ err }) => err?.code === 'VKITM_UPSTREAM_UNKNOWN_BROKER'))
    assert.equal(await gateway.metric('vkitm_upstream_connections'), 0)
  })
})

const isStall = ({ details }: LogLine): boolean => String(details?.reason).includes('writeStall')

describe('the ways to the cluster', () => {
  test('an upstream that cannot be reached turns readiness red, is tried again, and heals', async t => {
    const [port] = await freePorts(1)
    const address = { host: '127.0.0.1', port: port! }
    const gateway = await startTestGateway({ upstream: { bootstrap: [address] }, unready: true })
    t.after(() => gateway.stop())
    const early = await gateway.connect()
    early.send(ApiKey.Metadata, 1, metadata)
    await early.expectClosed()
    const red = await gateway.page('/readyz')
    assert.equal(red.status, 503)
    assert.match(red.text, /not reached/)
    const broker = await startFakeBroker({ port: address.port })
    t.after(() => broker.stop())
    await until('the cluster is known', () => gateway.log.lines('brokers known').length === 1, 20_000)
    const client = await gateway.connect()
    await client.ask(ApiKey.Metadata, 1, metadata)
    assert.equal((await gateway.page('/readyz')).status, 200)
    await client.close()
  })

  test('a broker without a port turns readiness red with the line to change, and its partitions have no leader', async t => {
    const broker = await startFakeBroker()
    t.after(() => broker.stop())
    broker.brokers = [
      { nodeId: 0, ...broker.address },
      { nodeId: 7, host: '127.0.0.1', port: 1 },
    ]
    const gateway = await startTestGateway({ upstream: { bootstrap: [broker.address] } })
    t.after(() => gateway.stop())
    const red = await gateway.page('/readyz')
    assert.equal(red.status, 503)
    assert.match(red.text, /broker 7 .*brokerPorts/)
    const client = await gateway.connect()
    const { brokers } = await client.ask(ApiKey.Metadata, 1, metadata)
    assert.deepEqual(
      brokers.map(({ nodeId }) => nodeId),
      [0],
    )
    await client.close()
  })

  test('A-24: metadata that points at link-local, unspecified or multicast addresses is not followed', async t => {
    const broker = await startFakeBroker()
    t.after(() => broker.stop())
    const targets = ['169.254.169.254', '0.0.0.0', '224.0.0.1', 'fe80::1', '::', '::ffff:169.254.169.254', 'ff02::1']
    broker.brokers = targets.map((host, at) => ({ nodeId: at + 1, host, port: 9092 }))
    const gateway = await startTestGateway({ upstream: { bootstrap: [broker.address] }, brokerPorts: 8 })
    t.after(() => gateway.stop())
    for (const at of targets.keys()) {
      const client = await gateway.connect({ port: gateway.portOf(at + 1) })
      client.send(ApiKey.Metadata, 1, metadata)
      await client.expectClosed()
    }
    const refusals = gateway.log
      .lines('connection closed')
      .filter(({ err }) => err?.code === 'VKITM_UPSTREAM_NOT_ALLOWED')
    assert.equal(refusals.length, targets.length)
  })

  test('A-24: metadata that points at a host which upstream.allow does not list is not followed; the bootstrap itself needs no listing', async t => {
    let visits = 0
    const victim = createServer(() => visits++)
    await new Promise<void>(resolve => victim.listen(0, '127.0.0.2', resolve))
    t.after(() => victim.close())
    const { port } = victim.address() as { port: number }
    const broker = await startFakeBroker()
    t.after(() => broker.stop())
    broker.brokers = [{ nodeId: 1, host: '127.0.0.2', port }]
    const gateway = await startTestGateway({
      upstream: { bootstrap: [broker.address], allow: [{ kind: 'name', name: 'broker.internal' }] },
    })
    t.after(() => gateway.stop())
    const client = await gateway.connect({ port: gateway.portOf(1) })
    client.send(ApiKey.Metadata, 1, metadata)
    await client.expectClosed()
    assert.equal(visits, 0)
  })
})

describe('the end of the gateway', () => {
  test('drain answers what was asked, takes nothing new, and ends', async t => {
    const broker = await startFakeBroker()
    t.after(() => broker.stop())
    const gateway = await startTestGateway({ upstream: { bootstrap: [broker.address] } })
    t.after(() => gateway.stop())
    const idle = await gateway.connect()
    await idle.ask(ApiKey.Metadata, 1, metadata)
    let answer = (): void => undefined
    broker.answer(
      ApiKey.Fetch,
      () =>
        new Promise(resolve => {
          answer = () => resolve(fetched(600_000))
        }),
    )
    const busy = await gateway.connect()
    busy.send(ApiKey.Fetch, 4, fetch)
    await until('it is asked', () => broker.seenOf(ApiKey.Fetch).length === 1)
    const drained = gateway.gateway.drain()
    await idle.expectClosed()
    assert.equal(busy.isClosed, false)
    await assert.rejects(gateway.connect())
    assert.equal((await gateway.page('/readyz')).status, 503)
    answer()
    assert.ok((await busy.frameAt(0)).length > 600_000)
    await busy.expectClosed()
    await within('the gateway ends', drained)
    await until('no connection is left', () => broker.sockets.size === 0)
  })

  test('drain ends at its deadline where a broker does not answer', async t => {
    const broker = await startFakeBroker()
    t.after(() => broker.stop())
    const gateway = await startTestGateway({ upstream: { bootstrap: [broker.address] }, limits: { drainTimeout: 300 } })
    t.after(() => gateway.stop())
    const client = await gateway.connect()
    client.send(ApiKey.Fetch, 4, fetch)
    await until('it is asked', () => broker.seen.length === 1)
    await within('the gateway ends', gateway.gateway.drain())
    await client.expectClosed()
  })
})
