import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WireError } from '../../src/errors.ts'
import { itemsPerNumber, type ReadLimits } from '../../src/wire/bounds.ts'
import { Reader } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const reader = (text: string, limits?: Partial<ReadLimits>) => new Reader(hex(text), limits)
const refused = (read: () => unknown, message?: RegExp) =>
  assert.throws(read, error => error instanceof WireError && (message?.test(error.message) ?? true))

/** One value of each type, so that a read starts at every kind of offset. */
function writeEverything(): Buffer {
  const writer = new Writer(16)
  writer.int8(-3)
  writer.boolean(true)
  writer.int16(-300)
  writer.uint16(65_000)
  writer.int32(-70_000)
  writer.uint32(4_000_000_000)
  writer.int64(-5_000_000_000n)
  writer.float64(Math.PI)
  for (const value of [0, 127, 128, 16_383, 16_384, 0xffffffff]) writer.uvarint(value)
  for (const value of [0, -1, 63, -64, 0x7fffffff, -0x80000000]) writer.varint(value)
  for (const value of [0n, -1n, 1n << 27n, 1n << 28n, -(1n << 63n), (1n << 63n) - 1n]) writer.varlong(value)
  writer.uuid('AAECAwQFBgcICQoLDA0ODw')
  writer.string('orders')
  writer.nullableString(null)
  writer.compactString('größe-漢字-😀')
  writer.compactNullableString(null)
  writer.string('x'.repeat(300))
  writer.bytes(hex('00ff10'))
  writer.compactNullableBytes(null)
  writer.nullableRecords(null)
  writer.compactBytes(Buffer.alloc(2000, 7))
  return writer.toBuffer()
}

function expectEverything(from: Reader): void {
  assert.equal(from.int8(), -3)
  assert.equal(from.boolean(), true)
  assert.equal(from.int16(), -300)
  assert.equal(from.uint16(), 65_000)
  assert.equal(from.int32(), -70_000)
  assert.equal(from.uint32(), 4_000_000_000)
  assert.equal(from.int64(), -5_000_000_000n)
  assert.equal(from.float64(), Math.PI)
  for (const value of [0, 127, 128, 16_383, 16_384, 0xffffffff]) assert.equal(from.uvarint(), value)
  for (const value of [0, -1, 63, -64, 0x7fffffff, -0x80000000]) assert.equal(from.varint(), value)
  for (const value of [0n, -1n, 1n << 27n, 1n << 28n, -(1n << 63n), (1n << 63n) - 1n])
    assert.equal(from.varlong(), value)
  assert.equal(from.uuid(), 'AAECAwQFBgcICQoLDA0ODw')
  assert.equal(from.string(), 'orders')
  assert.equal(from.nullableString(), null)
  assert.equal(from.compactString(), 'größe-漢字-😀')
  assert.equal(from.compactNullableString(), null)
  assert.equal(from.string(), 'x'.repeat(300))
  assert.deepEqual(from.bytes(), hex('00ff10'))
  assert.equal(from.compactNullableBytes(), null)
  assert.equal(from.nullableRecords(), null)
  assert.deepEqual(from.compactRecords().toBuffer(), Buffer.alloc(2000, 7))
  from.expectEnd()
}

describe('Reader', () => {
  it('reads every type whatever the place where one chunk ends and the next begins', () => {
    const all = writeEverything()
    expectEverything(new Reader(all))
    for (let at = 0; at <= all.length; at++) expectEverything(new Reader([all.subarray(0, at), all.subarray(at)]))
  })

  it('reads from chunks of one byte, with empty ones between', () => {
    const chunks = [...writeEverything()].flatMap(byte => [Buffer.of(byte), Buffer.alloc(0)])
    expectEverything(new Reader(chunks))
  })

  it('reads 64-bit integers as they were written, those next to 0 and -1 too', () => {
    const ends = [0n, 1n, -1n, 2n, -2n, 1n << 31n, 1n << 32n, (1n << 32n) - 1n, 1n << 62n, (1n << 63n) - 1n]
    for (const value of ends.flatMap(end => [end, -end, ~end])) {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(value)
      assert.equal(new Reader([bytes]).int64(), value)
      assert.equal(new Reader([bytes.subarray(0, 3), bytes.subarray(3)]).int64(), value)
    }
  })

  it('skips over chunk borders and refuses to skip past the end', () => {
    const chunks = new Reader([hex('0102'), hex('03'), hex('0405')])
    chunks.skip(4)
    assert.equal(chunks.remaining, 1)
    assert.equal(chunks.int8(), 5)
    refused(() => chunks.skip(1))
  })

  it('hands out record bytes as views on the received chunks', () => {
    const chunks = [hex('00000004 aabb'), hex('ccdd ff')]
    const records = new Reader(chunks).records()
    assert.equal(records.byteLength, 4)
    assert.deepEqual(records.chunks, [hex('aabb'), hex('ccdd')])
    chunks[1]![0] = 0x11
    assert.equal(records.chunks[1]![0], 0x11)
  })

  it('A-05: an array count beyond the bytes left is refused before anything is allocated', () => {
    refused(() => reader('7fffffff 00').arrayLength(1), /array longer/)
    refused(() => reader('7fffffff 00').nullableArrayLength(1), /array longer/)
    refused(() => reader('ffffffff0f 00').compactArrayLength(1), /array longer/)
    refused(() => reader('00000003 00000000').arrayLength(4, itemsPerNumber), /array longer/)
    assert.equal(reader('00000001 00000000').arrayLength(4, itemsPerNumber), 1)
    refused(() => reader('fffffffe').nullableArrayLength(1), /negative/)
    refused(() => reader('ffffffff').arrayLength(1), /null/)
    refused(() => reader('00').compactArrayLength(1), /null/)
    assert.equal(reader('00').compactNullableArrayLength(1), -1)
  })

  it('A-11: the items of all arrays of a message are counted together', () => {
    const limited = reader('00000003 00000003', { itemsMax: 5 })
    assert.equal(limited.arrayLength(0), 3)
    assert.equal(limited.items, 3)
    refused(() => limited.arrayLength(0), /too many items/)
  })

  it('A-11: numbers count, too, four for an item, whatever the array may be', () => {
    const lists = ['00000008', '00000008', '09', '09']
    const ways = ['arrayLength', 'nullableArrayLength', 'compactArrayLength', 'compactNullableArrayLength'] as const
    for (const [at, way] of ways.entries()) {
      const counting = reader(`${lists[at]} ${'00'.repeat(8)}`, { itemsMax: 2 })
      assert.equal(counting[way](1, itemsPerNumber), 8)
      assert.equal(counting.items, 2, way)
      const limited = reader(`${lists[at]} ${'00'.repeat(8)}`, { itemsMax: 1.75 })
      refused(() => limited[way](1, itemsPerNumber), /too many items/)
    }
  })

  it('names the setting that says how many items there may be', () => {
    const limited = reader('00000002', { itemsMax: 1, itemsSetting: 'limits.requestItems' })
    assert.throws(
      () => limited.arrayLength(0),
      (error: WireError) => {
        assert.deepEqual(error.details, { itemsMax: 1, setting: 'limits.requestItems' })
        return true
      },
    )
  })

  it('A-06: more than 64 tagged fields, a large one, a doubled or a descending one are refused', () => {
    refused(() => reader('41').taggedFields(), /too many tagged/)
    refused(() => reader(`01 00 818004${'00'.repeat(65_537)}`).taggedFields(), /too large/)
    refused(() => reader('02 05 00 05 00').taggedFields(), /out of order/)
    refused(() => reader('02 05 00 04 00').taggedFields(), /out of order/)
    refused(() => reader('01 05 02 00').taggedFields(), /shorter/)
    assert.equal(reader('01 00 8004'.concat('00'.repeat(512))).taggedFields(), undefined)
  })

  it('counts the unknown tagged fields it drops and returns those it is told to keep', () => {
    const dropping = reader('02 00 01 aa 07 00')
    assert.equal(dropping.taggedFields(), undefined)
    assert.equal(dropping.unknownTags, 2)
    dropping.expectEnd()
    const keeping = reader('02 00 01 aa 07 00', { keepUnknownTags: true })
    assert.deepEqual(keeping.taggedFields(), [
      { tag: 0, data: hex('aa') },
      { tag: 7, data: hex('') },
    ])
    assert.equal(keeping.unknownTags, 0)
  })

  it('A-06: a known tagged field that is not as long as it says is refused', () => {
    for (const [bytes, excess] of [
      ['03 aabbcc', -1],
      ['01 aabbcc', 1],
    ] as const) {
      const tagged = reader(bytes)
      const end = tagged.tagEnd()
      tagged.int16()
      assert.throws(
        () => tagged.expectTagEnd(end, 0),
        error => error instanceof WireError && error.details.excess === excess,
      )
    }
  })

  it('A-07: varints that are too long, padded or overflowing are refused', () => {
    refused(() => reader('8080808010').uvarint(), /too long/)
    refused(() => reader('ffffffff1f').uvarint(), /too long/)
    refused(() => reader('808080808001').uvarint(), /too long/)
    refused(() => reader('8000').uvarint(), /padded/)
    refused(() => reader('8080808000').uvarint(), /padded/)
    refused(() => reader('8000').varint(), /padded/)
    refused(() => reader('8000').varlong(), /padded/)
    refused(() => reader('80808080808000').varlong(), /padded/)
    refused(() => reader('ffffffffffffffffff02').varlong(), /too long/)
    refused(() => reader('8080808080808080808001').varlong(), /too long/)
    refused(() => reader('80').uvarint(), /shorter/)
    assert.equal(reader('ffffffff0f').uvarint(), 0xffffffff)
  })

  it('A-08: lengths of strings and bytes that are negative, null or beyond the end are refused', () => {
    refused(() => reader('ffff').string(), /null/)
    refused(() => reader('fffe').nullableString(), /negative/)
    refused(() => reader('7fff 61').string(), /shorter/)
    refused(() => reader('00').compactString(), /null/)
    refused(() => reader(`818002${'61'.repeat(32_768)}`).compactString(), /too long/)
    refused(() => reader('ffffffff0f 61').compactNullableString(), /too long/)
    refused(() => reader('ffffffff').bytes(), /null/)
    refused(() => reader('fffffffe').nullableBytes(), /negative/)
    refused(() => reader('7fffffff 61').bytes(), /shorter/)
    refused(() => reader('00').compactBytes(), /null/)
    refused(() => reader('ffffffff').records(), /null/)
    refused(() => reader('fffffffe').nullableRecords(), /negative/)
    refused(() => reader('00').compactRecords(), /null/)
    refused(() => reader('05 61').compactNullableRecords(), /shorter/)
  })

  it('A-09: a string that is not UTF-8 is refused, short or long', () => {
    for (const bad of ['ff', 'c080', 'eda080', 'f4908080', 'e282']) {
      const bytes = hex(bad)
      for (const pad of [0, 200]) {
        const writer = new Writer()
        writer.bytes(Buffer.concat([Buffer.alloc(pad, 'a'), bytes]))
        const asString = writer.toBuffer().subarray(2)
        refused(() => new Reader(asString).string(), /UTF-8/)
        refused(() => new Reader([asString.subarray(0, 3), asString.subarray(3)]).string(), /UTF-8/)
      }
    }
  })

  it('A-10: bytes after the end of a message, or missing ones, are refused', () => {
    refused(() => reader('00').expectEnd(), /left after/)
    reader('').expectEnd()
    for (const read of ['int8', 'int16', 'int32', 'int64', 'float64', 'uuid', 'uvarint', 'varlong'] as const) {
      refused(() => reader('')[read]())
    }
    refused(() => reader('010203').int32())
    refused(() => reader('01020304050607').int64())
  })
})
