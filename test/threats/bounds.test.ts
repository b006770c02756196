/** Lengths, counts and slowness: what a stranger can say to a gateway before it knows anything of him. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { metadataRequestDefaults, metadataRequestTopicDefaults } from '../../src/protocol/generated/metadata-request.ts'
import { Writer } from '../../src/wire/writer.ts'
import { type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import { framed, type RawClient } from '../support/raw-client.ts'
import { startTestGateway, type TestGateway } from '../support/test-gateway.ts'
import { until } from '../support/until.ts'

const written = (write: (writer: Writer) => void): Buffer => {
  const writer = new Writer()
  write(writer)
  return writer.toBuffer()
}
const int16 = (value: number): Buffer => written(writer => writer.int16(value))
const int32 = (value: number): Buffer => written(writer => writer.int32(value))
const uvarint = (value: number): Buffer => written(writer => writer.uvarint(value))
const tag = (id: number, value: Buffer): Buffer => Buffer.concat([uvarint(id), uvarint(value.length), value])
const hex = (text: string): Buffer => Buffer.from(text, 'hex')

/** A request by hand: the header without its tagged fields, then `parts`. */
function request(apiKey: number, apiVersion: number, ...parts: Buffer[]): Buffer {
  return framed(Buffer.concat([int16(apiKey), int16(apiVersion), int32(7), int16(-1), ...parts]))
}

/** Metadata 12: no topics, no creation, no operations; the tagged fields of header and body are the caller's. */
const metadata12 = (headerTags: Buffer, bodyTags: Buffer): Buffer =>
  request(ApiKey.Metadata, 12, headerTags, uvarint(1), hex('0000'), bodyTags)
const metadata1 = (...parts: Buffer[]): Buffer => request(ApiKey.Metadata, 1, ...parts)
const noTags = uvarint(0)

const requestItems = 2_000
const topics = (count: number): Buffer => metadata1(int32(count), Buffer.alloc(2 * count))
/** OffsetFetch 1 of one topic. */
const partitions = (count: number): Buffer =>
  request(ApiKey.OffsetFetch, 1, int16(0), int32(1), int16(0), int32(count), Buffer.alloc(4 * count))

describe('bounds', () => {
  let broker: FakeBroker
  let gateway: TestGateway

  before(async () => {
    broker = await startFakeBroker()
    gateway = await startTestGateway({
      upstream: { bootstrap: [broker.address] },
      limits: { frameBytes: 1024 * 1024, firstFrameTimeout: 700, frameTimeout: 700, requestItems },
    })
  })
  after(async () => {
    await gateway.stop()
    await broker.stop()
  })

  async function expectRefused(bytes: Buffer): Promise<RawClient> {
    const client = await gateway.connect()
    const received = broker.receivedBytes
    client.socket.write(bytes)
    await client.expectClosed()
    assert.equal(client.receivedBytes, 0, 'an answer came')
    assert.equal(broker.receivedBytes, received, 'something was forwarded')
    return client
  }

  for (const [what, bytes] of [
    ['0x7fffffff', 0x7fffffff],
    ['one above the limit', 1024 * 1024 + 1],
  ] as const) {
    test(`A-01: a length of ${what} closes the connection with its fourth byte and allocates nothing for it`, async () => {
      const before = process.memoryUsage().arrayBuffers
      await expectRefused(int32(bytes))
      assert.ok(process.memoryUsage().arrayBuffers - before < 1024 * 1024)
    })
  }

  for (const bytes of [-0x80000000, -1, 0, 1, 7]) {
    test(`A-02: a length of ${bytes} closes the connection, and the frame behind it is not read`, async () => {
      await expectRefused(Buffer.concat([int32(bytes), metadata1(int32(0))]))
    })
  }

  test('A-03: a client that sends nothing is closed', async () => {
    const client = await gateway.connect()
    await client.expectClosed()
    assert.equal(client.receivedBytes, 0)
  })

  test('A-03: a first frame that never ends, or comes a byte at a time, closes the connection', async () => {
    const frame = metadata1(int32(0))
    const stuck = await gateway.connect()
    stuck.socket.write(frame.subarray(0, -1))
    const slow = await gateway.connect()
    for (let at = 0; at < frame.length - 1 && !slow.isClosed; at++) {
      slow.socket.write(frame.subarray(at, at + 1))
      await delay(100)
    }
    await slow.expectClosed()
    await stuck.expectClosed()
    assert.equal(broker.seenOf(ApiKey.Metadata).length, 0)
  })

  test('A-03: a later frame that never ends closes the connection, too, however slowly its bytes come', async () => {
    const client = await gateway.connect()
    await client.ask(ApiKey.Metadata, 1, { ...metadataRequestDefaults(), topics: [] })
    const seen = broker.seen.length
    const frame = metadata1(int32(0))
    for (let at = 0; at < frame.length - 1 && !client.isClosed; at++) {
      client.socket.write(frame.subarray(at, at + 1))
      await delay(100)
    }
    await client.expectClosed()
    assert.equal(broker.seen.length, seen)
  })

  test('A-03: an idle client whose frames are complete is not a slow one', async () => {
    const client = await gateway.connect()
    const ask = () => client.ask(ApiKey.Metadata, 1, { ...metadataRequestDefaults(), topics: [] })
    await ask()
    await delay(1_500)
    await ask()
    await client.close()
  })

  const manyTags = Buffer.concat([
    uvarint(65),
    ...Array.from({ length: 65 }, (_, at) => tag(1000 + at, Buffer.alloc(0))),
  ])
  const malformed: readonly [string, Buffer][] = [
    ['A-05: an array of 2^31−1 elements', metadata1(int32(0x7fffffff))],
    ['A-05: an array of more elements than the bytes left could hold', metadata1(int32(3), int32(0))],
    ['A-05: a compact array of 2^32−2 elements', request(ApiKey.Metadata, 12, noTags, uvarint(0xffffffff))],
    ['A-06: more than 64 tagged fields in the header', metadata12(manyTags, noTags)],
    ['A-06: more than 64 tagged fields in the body', metadata12(noTags, manyTags)],
    [
      'A-06: a tagged field of more than 64 KiB',
      metadata12(noTags, Buffer.concat([uvarint(1), tag(1000, Buffer.alloc(64 * 1024 + 1))])),
    ],
    [
      'A-06: a tagged field that comes twice',
      metadata12(noTags, Buffer.concat([uvarint(2), tag(1000, Buffer.of(1)), tag(1000, Buffer.of(1))])),
    ],
    [
      'A-06: tagged fields that descend',
      metadata12(noTags, Buffer.concat([uvarint(2), tag(1001, Buffer.of(1)), tag(1000, Buffer.of(1))])),
    ],
    ['A-07: a varint of six bytes', request(ApiKey.Metadata, 12, noTags, hex('808080808001'))],
    ['A-07: a varint whose fifth byte overflows', request(ApiKey.Metadata, 12, noTags, hex('828080801f'))],
    ['A-07: a varint padded with zeros', request(ApiKey.Metadata, 12, noTags, hex('8100'), hex('0000'), noTags)],
    ['A-08: a string of length −1 where there must be one', metadata1(int32(1), int16(-1))],
    ['A-08: a string of length −2', metadata1(int32(1), int16(-2))],
    ['A-08: a string of 32,767 bytes beyond the end', metadata1(int32(1), int16(0x7fff), Buffer.from('short'))],
    ['A-08: a compact string of length 0 where there must be one', request(ApiKey.FindCoordinator, 3, hex('00000000'))],
    ['A-09: a topic that is not UTF-8', metadata1(int32(1), int16(2), hex('fffe'))],
    ['A-09: a group that is not UTF-8', request(ApiKey.FindCoordinator, 0, int16(2), hex('c080'))],
    [
      'A-09: a client id that is not UTF-8',
      framed(Buffer.concat([int16(ApiKey.Metadata), int16(1), int32(7), int16(3), hex('eda080'), int32(0)])),
    ],
    ['A-10: bytes after the body', metadata1(int32(0), Buffer.of(0))],
    ['A-10: a second request within the frame of the first', metadata1(int32(0), metadata1(int32(0)))],
    ['A-10: a body that is shorter than declared', metadata1(int16(0))],
    ['A-10: a header that is shorter than one', framed(hex('0003000100000000'))],
  ]
  const excessive: readonly [string, Buffer][] = [
    ['A-11: more topics than limits.requestItems', topics(requestItems + 1)],
    ['A-11: more numbers than four times limits.requestItems', partitions(4 * requestItems)],
  ]
  for (const [what, bytes] of [...malformed, ...excessive]) {
    test(`${what} closes the connection, and no broker hears of it`, async () => {
      await expectRefused(bytes)
      await until('the log says why', () =>
        gateway.log.lines('connection closed').some(({ err }) => err?.code === 'VKITM_WIRE'),
      )
    })
  }

  test('A-11: as many topics or numbers as limits.requestItems allows are served, and the log names it for more', async () => {
    for (const bytes of [topics(requestItems), partitions(4 * (requestItems - 1))]) {
      const seen = broker.seen.length
      const client = await gateway.connect()
      client.socket.write(bytes)
      await until('it is forwarded', () => broker.seen.length > seen)
      assert.deepEqual(broker.seen[seen]!.bytes, bytes)
      await client.close()
    }
    await expectRefused(topics(requestItems + 1))
    await until('the log says what to change', () =>
      gateway.log.lines('connection closed').some(({ err }) => err?.details?.setting === 'limits.requestItems'),
    )
  })

  test('A-06: a hundred requests full of tagged fields leave no memory behind', async () => {
    const bytes = metadata12(manyTags, noTags)
    const heapBefore = process.memoryUsage().heapUsed
    for (let at = 0; at < 100; at++) await expectRefused(bytes)
    assert.ok(process.memoryUsage().heapUsed - heapBefore < 64 * 1024 * 1024)
  })

  test('A-06: unknown tags are dropped, and what is forwarded then holds only what was judged', async () => {
    const client = await gateway.connect({ clientId: null })
    const marker = Buffer.from('not-judged')
    const tags = Buffer.concat([uvarint(1), tag(1000, marker)])
    client.socket.write(metadata12(tags, tags))
    await client.frameAt(0)
    const forwarded = broker.seen.at(-1)!
    assert.equal(forwarded.bytes.includes(marker), false)
    const expected = client.request(
      ApiKey.Metadata,
      12,
      { ...metadataRequestDefaults(), topics: [], allowAutoTopicCreation: false },
      7,
    )
    assert.deepEqual(forwarded.bytes, expected)
    assert.equal(await gateway.metric('vkitm_unknown_tags_total', { api: 'Metadata', direction: 'request' }), 2)
    await client.close()
  })

  test('A-10: bytes behind a Metadata of librdkafka reach no broker', async () => {
    const client = await gateway.connect({ clientId: null })
    const stray = Buffer.of(0xee, 0xee, 0xee)
    client.socket.write(request(ApiKey.Metadata, 12, noTags, uvarint(1), hex('0000'), noTags, stray))
    await client.frameAt(0)
    assert.equal(broker.seen.at(-1)!.bytes.includes(stray), false)
    await client.close()
  })

  test('A-27: names of the language’s own prototypes are names like any other', async () => {
    const client = await gateway.connect({ clientId: '__proto__' })
    const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString']
    await client.ask(ApiKey.Metadata, 12, {
      ...metadataRequestDefaults(),
      topics: names.map(name => ({ ...metadataRequestTopicDefaults(), name })),
    })
    const seen = broker.seen.at(-1)!
    assert.deepEqual(
      (seen.body as { topics: { name: string }[] }).topics.map(({ name }) => name),
      names,
    )
    assert.equal(seen.header.clientId, '__proto__')
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    await client.close()
  })
})
