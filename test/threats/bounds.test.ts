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

const length = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** A request by hand: header and whatever `body` writes. */
function request(
  apiKey: number,
  apiVersion: number,
  body: (writer: Writer) => void,
  clientId: Buffer | null = null,
): Buffer {
  const writer = new Writer()
  writer.int16(apiKey)
  writer.int16(apiVersion)
  writer.int32(7)
  writer.int16(clientId === null ? -1 : clientId.length)
  if (clientId !== null) writer.raw(clientId)
  body(writer)
  return framed(writer.toBuffer())
}

describe('bounds', () => {
  let broker: FakeBroker
  let gateway: TestGateway

  before(async () => {
    broker = await startFakeBroker()
    gateway = await startTestGateway({
      upstream: { bootstrap: [broker.address] },
      limits: { frameBytes: 1024 * 1024, firstFrameTimeout: 700, frameTimeout: 700 },
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
      await expectRefused(length(bytes))
      assert.ok(process.memoryUsage().arrayBuffers - before < 1024 * 1024)
    })
  }

  for (const bytes of [-0x80000000, -1, 0, 1, 7]) {
    test(`A-02: a length of ${bytes} closes the connection, and the frame behind it is not read`, async () => {
      const good = request(ApiKey.Metadata, 1, writer => writer.int32(0))
      await expectRefused(Buffer.concat([length(bytes), good]))
    })
  }

  test('A-03: a client that sends nothing is closed', async () => {
    const client = await gateway.connect()
    await client.expectClosed()
    assert.equal(client.receivedBytes, 0)
  })

  test('A-03: a first frame that never ends, or comes a byte at a time, closes the connection', async () => {
    const frame = request(ApiKey.Metadata, 1, writer => writer.int32(0))
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
    const frame = request(ApiKey.Metadata, 1, writer => writer.int32(0))
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

  const topics = (writer: Writer, count: number): void => {
    writer.int32(count)
  }
  const compactTail = (writer: Writer): void => {
    writer.uvarint(1)
    writer.boolean(false)
    writer.boolean(false)
  }
  const tag = (writer: Writer, id: number, byteLength: number): void => {
    writer.uvarint(id)
    writer.uvarint(byteLength)
    writer.raw(Buffer.alloc(byteLength))
  }

  const malformed: readonly [string, Buffer][] = [
    ['A-05: an array of 2^31−1 elements', request(ApiKey.Metadata, 1, writer => topics(writer, 0x7fffffff))],
    [
      'A-05: an array of more elements than the bytes left could hold',
      request(ApiKey.Metadata, 1, writer => (topics(writer, 3), writer.int32(0))),
    ],
    [
      'A-05: a compact array of 2^32−2 elements',
      request(ApiKey.Metadata, 12, writer => (writer.uvarint(0), writer.uvarint(0xffffffff))),
    ],
    [
      'A-06: more than 64 tagged fields in the header',
      request(ApiKey.Metadata, 12, writer => {
        writer.uvarint(65)
        for (let id = 0; id < 65; id++) tag(writer, id + 1000, 0)
        compactTail(writer)
        writer.uvarint(0)
      }),
    ],
    [
      'A-06: a tagged field of more than 64 KiB',
      request(ApiKey.Metadata, 12, writer => {
        writer.uvarint(0)
        compactTail(writer)
        writer.uvarint(1)
        tag(writer, 1000, 64 * 1024 + 1)
      }),
    ],
    [
      'A-06: a tagged field that comes twice',
      request(ApiKey.Metadata, 12, writer => {
        writer.uvarint(0)
        compactTail(writer)
        writer.uvarint(2)
        tag(writer, 1000, 1)
        tag(writer, 1000, 1)
      }),
    ],
    [
      'A-06: tagged fields that descend',
      request(ApiKey.Metadata, 12, writer => {
        writer.uvarint(0)
        compactTail(writer)
        writer.uvarint(2)
        tag(writer, 1001, 1)
        tag(writer, 1000, 1)
      }),
    ],
    [
      'A-07: a varint of six bytes',
      request(ApiKey.Metadata, 12, writer => (writer.uvarint(0), writer.raw(Buffer.from('808080808001', 'hex')))),
    ],
    [
      'A-07: a varint whose fifth byte overflows',
      request(ApiKey.Metadata, 12, writer => (writer.uvarint(0), writer.raw(Buffer.from('828080801f', 'hex')))),
    ],
    [
      'A-07: a varint padded with zeros',
      request(
        ApiKey.Metadata,
        12,
        writer => (
          writer.uvarint(0),
          writer.raw(Buffer.from('8100', 'hex')),
          writer.boolean(false),
          writer.boolean(false),
          writer.uvarint(0)
        ),
      ),
    ],
    [
      'A-08: a string of length −1 where there must be one',
      request(ApiKey.Metadata, 1, writer => (topics(writer, 1), writer.int16(-1))),
    ],
    ['A-08: a string of length −2', request(ApiKey.Metadata, 1, writer => (topics(writer, 1), writer.int16(-2)))],
    [
      'A-08: a string of 32,767 bytes beyond the end',
      request(
        ApiKey.Metadata,
        1,
        writer => (topics(writer, 1), writer.int16(0x7fff), writer.raw(Buffer.from('short'))),
      ),
    ],
    [
      'A-08: a compact string of length 0 where there must be one',
      request(
        ApiKey.FindCoordinator,
        3,
        writer => (writer.uvarint(0), writer.uvarint(0), writer.int8(0), writer.uvarint(0)),
      ),
    ],
    [
      'A-09: a topic that is not UTF-8',
      request(ApiKey.Metadata, 1, writer => (topics(writer, 1), writer.int16(2), writer.raw(Buffer.of(0xff, 0xfe)))),
    ],
    [
      'A-09: a group that is not UTF-8',
      request(ApiKey.FindCoordinator, 0, writer => (writer.int16(2), writer.raw(Buffer.of(0xc0, 0x80)))),
    ],
    [
      'A-09: a client id that is not UTF-8',
      request(ApiKey.Metadata, 1, writer => topics(writer, 0), Buffer.of(0xed, 0xa0, 0x80)),
    ],
    ['A-10: bytes after the body', request(ApiKey.Metadata, 1, writer => (topics(writer, 0), writer.int8(0)))],
    [
      'A-10: a second request within the frame of the first',
      request(
        ApiKey.Metadata,
        1,
        writer => (topics(writer, 0), writer.raw(request(ApiKey.Metadata, 1, inner => topics(inner, 0)))),
      ),
    ],
    ['A-10: a body that is shorter than declared', request(ApiKey.Metadata, 1, writer => writer.int16(0))],
    ['A-10: a header that is shorter than one', framed(Buffer.from('00030001000000', 'hex').subarray(0, 8))],
  ]
  for (const [what, bytes] of malformed) {
    test(`${what} closes the connection, and no broker hears of it`, async () => {
      await expectRefused(bytes)
      await until('the log says why', () =>
        gateway.log.lines('connection closed').some(({ err }) => err?.code === 'VKITM_WIRE'),
      )
    })
  }

  test('A-06: a hundred requests full of tagged fields leave no memory behind', async () => {
    const bytes = malformed.find(([what]) => what.includes('more than 64 tagged'))![1]
    const heapBefore = process.memoryUsage().heapUsed
    for (let at = 0; at < 100; at++) await expectRefused(bytes)
    assert.ok(process.memoryUsage().heapUsed - heapBefore < 64 * 1024 * 1024)
  })

  test('A-06: unknown tags are dropped, and what is forwarded then holds only what was judged', async () => {
    const client = await gateway.connect({ clientId: null })
    const marker = Buffer.from('not-judged')
    client.socket.write(
      request(ApiKey.Metadata, 12, writer => {
        writer.uvarint(1)
        writer.uvarint(1000)
        writer.uvarint(marker.length)
        writer.raw(marker)
        compactTail(writer)
        writer.uvarint(1)
        writer.uvarint(1001)
        writer.uvarint(marker.length)
        writer.raw(marker)
      }),
    )
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
