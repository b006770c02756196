import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { WireError } from '../../src/errors.ts'
import { FrameSplitter } from '../../src/wire/frame-splitter.ts'

const bounds = { payloadBytesMin: 1, payloadBytesMax: 1024 }

function framed(payload: Buffer): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeInt32BE(payload.length)
  return Buffer.concat([prefix, payload])
}

function pull(splitter: FrameSplitter): Buffer[] {
  const frames: Buffer[] = []
  for (let frame = splitter.next(); frame !== undefined; frame = splitter.next()) {
    const bytes = Buffer.concat(frame.chunks)
    assert.equal(bytes.length, frame.byteLength, 'a frame is as long as it says')
    frames.push(bytes)
  }
  return frames
}

describe('FrameSplitter', () => {
  test('cuts any stream of frames at any chunk boundaries into the same frames', () => {
    const payload = fc.uint8Array({ minLength: 1, maxLength: 1024 }).map(bytes => Buffer.from(bytes))
    const cuts = fc.array(fc.integer({ min: 0, max: 1500 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 12 }), cuts, fc.boolean(), (payloads, sizes, pullsLate) => {
        const expected = payloads.map(framed)
        const stream = Buffer.concat(expected)
        const splitter = new FrameSplitter(bounds)
        const frames: Buffer[] = []
        let at = 0
        for (let turn = 0; at < stream.length; turn++) {
          // Never nothing at all, or the stream would not end.
          const size = Math.max(sizes[turn % sizes.length]!, turn % 2)
          splitter.push(stream.subarray(at, at + size))
          at += size
          if (!pullsLate) frames.push(...pull(splitter))
        }
        frames.push(...pull(splitter))
        assert.deepEqual(frames, expected)
        assert.equal(splitter.bufferedBytes, 0)
      }),
    )
  })

  test('hands out the received bytes themselves, not copies', () => {
    const splitter = new FrameSplitter(bounds)
    const stream = framed(Buffer.alloc(600, 7))
    splitter.push(stream)
    assert.equal(splitter.next()?.chunks[0]?.buffer, stream.buffer)
  })

  test('leaves a frame that came in several reads in its chunks', () => {
    const splitter = new FrameSplitter(bounds)
    const stream = framed(Buffer.alloc(1024, 7))
    splitter.push(stream.subarray(0, 600))
    assert.equal(splitter.next(), undefined)
    splitter.push(stream.subarray(600))
    assert.deepEqual(
      splitter.next()?.chunks.map(({ length }) => length),
      [600, 428],
    )
  })

  test('gathers tiny chunks that lie behind each other without a copy', () => {
    const splitter = new FrameSplitter({ payloadBytesMin: 0, payloadBytesMax: 10_000 })
    const frame = framed(Buffer.alloc(3_000, 7))
    const read = Buffer.from(frame)
    for (let at = 0; at < read.length; at += 100) splitter.push(read.subarray(at, at + 100))
    const { chunks } = splitter.next()!
    assert.ok(chunks.length < 10, `${chunks.length} chunks`)
    assert.ok(chunks.every(({ buffer }) => buffer === read.buffer))
    assert.ok(Buffer.concat(chunks).equals(frame))
  })

  test('gathers tiny chunks, so that a byte a second costs no object a byte', () => {
    const splitter = new FrameSplitter({ payloadBytesMin: 1, payloadBytesMax: 100_000 })
    const stream = framed(Buffer.alloc(50_000, 1))
    for (const byte of stream) splitter.push(Buffer.of(byte))
    const frame = splitter.next()
    assert.equal(frame?.byteLength, stream.length)
    assert.ok(frame.chunks.length <= 2 * Math.ceil(stream.length / 512), `${frame.chunks.length} chunks`)
  })

  for (const [what, length] of [
    ['negative', -1],
    ['the smallest there is', -0x80000000],
    ['zero', 0],
    ['one over the limit', 1025],
    ['the largest there is', 0x7fffffff],
  ] as const) {
    test(`refuses a length that is ${what} with its fourth byte, and every time it is asked`, () => {
      const splitter = new FrameSplitter(bounds)
      const prefix = Buffer.alloc(4)
      prefix.writeInt32BE(length)
      splitter.push(prefix.subarray(0, 3))
      assert.equal(splitter.next(), undefined)
      splitter.push(prefix.subarray(3))
      assert.throws(() => splitter.next(), WireError)
      splitter.push(framed(Buffer.alloc(10)))
      assert.throws(() => splitter.next(), WireError)
    })
  }

  test('takes the smallest and the largest payload that the bounds allow', () => {
    const splitter = new FrameSplitter({ payloadBytesMin: 8, payloadBytesMax: 9 })
    splitter.push(framed(Buffer.alloc(8)))
    splitter.push(framed(Buffer.alloc(9)))
    assert.deepEqual(
      pull(splitter).map(({ length }) => length),
      [12, 13],
    )
  })

  test('new bounds hold from the next prefix on, not for the frame in progress', () => {
    const splitter = new FrameSplitter(bounds)
    const frame = framed(Buffer.alloc(500))
    splitter.push(frame.subarray(0, 100))
    assert.equal(splitter.next(), undefined)
    splitter.bounds = { payloadBytesMin: 1, payloadBytesMax: 20 }
    splitter.push(frame.subarray(100))
    assert.equal(splitter.next()?.byteLength, 504)
    splitter.push(framed(Buffer.alloc(21)))
    assert.throws(() => splitter.next(), WireError)
  })

  test('says how much is announced and how much is here', () => {
    const splitter = new FrameSplitter(bounds)
    assert.deepEqual([splitter.announcedBytes, splitter.bufferedBytes], [0, 0])
    splitter.push(framed(Buffer.alloc(100)).subarray(0, 10))
    splitter.next()
    assert.deepEqual([splitter.announcedBytes, splitter.bufferedBytes], [104, 10])
    splitter.push(Buffer.alloc(94))
    splitter.next()
    assert.deepEqual([splitter.announcedBytes, splitter.bufferedBytes], [0, 0])
  })
})
