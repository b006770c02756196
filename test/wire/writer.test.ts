import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Span } from '../../src/wire/span.ts'
import { Writer } from '../../src/wire/writer.ts'

describe('Writer', () => {
  it('links record bytes and large buffers instead of copying them', () => {
    const records = Span.of(Buffer.alloc(5000, 1), Buffer.alloc(3000, 2))
    const large = Buffer.alloc(4000, 3)
    const writer = new Writer()
    writer.int32(9)
    writer.records(records)
    writer.bytes(large)
    writer.int8(4)
    const chunks = writer.chunks()
    assert.equal(
      chunks.filter(chunk => chunk === records.chunks[0] || chunk === records.chunks[1] || chunk === large).length,
      3,
    )
    assert.equal(writer.byteLength, 4 + 4 + 8000 + 4 + 4000 + 1)
    assert.equal(Buffer.concat(chunks).length, writer.byteLength)
  })

  it('A-08: hands out written bytes only, however its segments grew', () => {
    const writer = new Writer(3)
    const expected: number[] = []
    for (let index = 0; index < 3000; index++) {
      writer.int8(index % 128)
      expected.push(index % 128)
      if (index % 700 === 0) writer.raw(Buffer.alloc(2000, 0x55))
      if (index % 700 === 0) expected.push(...new Array<number>(2000).fill(0x55))
    }
    assert.deepEqual(Buffer.concat(writer.chunks()), Buffer.from(expected))
    assert.deepEqual(writer.toBuffer(), Buffer.from(expected))
  })

  it('can go on after its chunks were taken', () => {
    const writer = new Writer()
    writer.int16(1)
    const before = Buffer.concat(writer.chunks())
    writer.int16(2)
    assert.equal(before.toString('hex'), '0001')
    assert.equal(writer.toBuffer().toString('hex'), '00010002')
  })

  it('fills a reserved length in afterwards, even where the segment has changed', () => {
    const writer = new Writer(6)
    const length = writer.reserveInt32()
    writer.string('more than the first segment holds')
    length(writer.byteLength - 4)
    assert.equal(writer.toBuffer().readInt32BE(0), writer.byteLength - 4)
  })

  it('refuses numbers that their field cannot hold instead of truncating them', () => {
    const writer = new Writer()
    for (const write of [
      () => writer.int8(128),
      () => writer.int16(-32_769),
      () => writer.uint16(-1),
      () => writer.int32(2 ** 31),
      () => writer.int32(1.5),
      () => writer.int32(Number.NaN),
      () => writer.uint32(-1),
      () => writer.int64(1n << 63n),
      () => writer.uvarint(2 ** 32),
      () => writer.varlong(-(1n << 63n) - 1n),
      () => writer.string('x'.repeat(32_768)),
      () => writer.compactString('ä'.repeat(16_384)),
      () => writer.uuid('AAECAwQFBgcICQoLDA0OD'),
      () => writer.uuid('AAECAwQF*gcICQoLDA0ODw'),
    ]) {
      assert.throws(write, RangeError)
    }
    assert.equal(writer.byteLength, 0)
  })
})
