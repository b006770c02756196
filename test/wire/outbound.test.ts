import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { ByteBudget } from '../../src/wire/byte-budget.ts'
import { Outbound } from '../../src/wire/outbound.ts'

/** A peer that takes bytes only when told to. */
class Peer extends Writable {
  readonly taken: Buffer[] = []
  readonly #waiting: (() => void)[] = []
  largestWrite = 0
  takesAll = false

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this._writev([{ chunk }], done)
  }

  override _writev(writes: { chunk: Buffer }[], done: () => void): void {
    const bytes = Buffer.concat(writes.map(({ chunk }) => chunk))
    this.largestWrite = Math.max(this.largestWrite, bytes.length)
    const take = (): void => {
      this.taken.push(bytes)
      done()
    }
    if (this.takesAll) take()
    else this.#waiting.push(take)
  }

  /** Takes what was written so far; false where nothing was. */
  take(): boolean {
    const next = this.#waiting.shift()
    next?.()
    return next !== undefined
  }

  async takeEverything(): Promise<Buffer> {
    await turn()
    while (this.take()) await turn()
    return Buffer.concat(this.taken)
  }
}

const held = (budget: ByteBudget, bytes: number) => budget.hold(bytes)

describe('Outbound', () => {
  test('keeps the order and every byte, however frames are cut and however slowly they are taken', async () => {
    const chunk = fc.integer({ min: 0, max: 200_000 })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(chunk, { minLength: 1, maxLength: 5 }), { maxLength: 10 }), async frames => {
        const peer = new Peer()
        const outbound = new Outbound(peer, { encrypts: false, onDrained: () => undefined })
        const budget = new ByteBudget(1e9)
        let fill = 0
        const expected: Buffer[] = []
        for (const sizes of frames) {
          const chunks = sizes.map(size => Buffer.alloc(size, ++fill))
          const byteLength = sizes.reduce((sum, size) => sum + size, 0)
          if (byteLength === 0) continue
          expected.push(...chunks)
          outbound.send(chunks, byteLength, held(budget, byteLength))
          if (fill % 3 === 0) await turn()
          if (fill % 4 === 0) peer.take()
        }
        assert.ok(Buffer.concat(expected).equals(await peer.takeEverything()), 'the bytes differ')
        assert.equal(budget.inUseBytes, 0)
        assert.equal(outbound.pendingBytes, 0)
      }),
      { numRuns: 40 },
    )
  })

  test('what is gathered in one turn leaves in one write', async () => {
    const peer = new Peer()
    peer.takesAll = true
    const outbound = new Outbound(peer, { encrypts: false, onDrained: () => undefined })
    outbound.gather()
    for (let at = 0; at < 10; at++) outbound.send([Buffer.alloc(100)], 100)
    await turn()
    assert.deepEqual([peer.taken.length, peer.largestWrite], [1, 1_000])
  })

  test('a large frame is handed over in slices', async () => {
    const peer = new Peer()
    const outbound = new Outbound(peer, { encrypts: false, onDrained: () => undefined })
    const chunks = Array.from({ length: 160 }, () => Buffer.alloc(64 * 1024))
    outbound.send(chunks, 160 * 64 * 1024)
    await peer.takeEverything()
    assert.ok(peer.largestWrite <= 512 * 1024, `${peer.largestWrite} bytes in one write`)
  })

  test('what a frame holds is released when the system has taken its last byte, not before', async () => {
    const peer = new Peer()
    const outbound = new Outbound(peer, { encrypts: false, onDrained: () => undefined })
    const budget = new ByteBudget(1_000)
    outbound.send([Buffer.alloc(10), Buffer.alloc(10)], 20, held(budget, 20))
    await turn()
    outbound.send([Buffer.alloc(5)], 5, held(budget, 5))
    await turn()
    assert.equal(budget.inUseBytes, 25)
    peer.take()
    await turn()
    assert.equal(budget.inUseBytes, 5)
    await peer.takeEverything()
    assert.equal(budget.inUseBytes, 0)
  })

  test('says when it is full, and calls back when there is room again', async () => {
    const peer = new Peer()
    const pending: number[] = []
    const outbound: Outbound = new Outbound(peer, {
      encrypts: false,
      onDrained: () => pending.push(outbound.pendingBytes),
    })
    outbound.gather()
    outbound.send([Buffer.alloc(100)], 100)
    assert.equal(outbound.isFull, false)
    for (let at = 0; at < 5; at++) outbound.send([Buffer.alloc(100_000)], 100_000)
    assert.ok(outbound.isFull)
    assert.equal(outbound.pendingBytes, 500_100)
    await turn()
    peer.take()
    await turn()
    assert.equal(outbound.isFull, false)
    assert.ok(pending[0]! < 300_000, `${pending[0]} bytes still waited`)
    await peer.takeEverything()
    assert.equal(outbound.pendingBytes, 0)
  })

  test('on TLS hands large chunks over one at a time, and small ones together', async () => {
    const peer = new Peer()
    const outbound = new Outbound(peer, { encrypts: true, onDrained: () => undefined })
    for (let at = 0; at < 4; at++) outbound.send([Buffer.alloc(20_000, at)], 20_000)
    await turn()
    assert.equal(peer.writableLength, 20_000)
    assert.equal((await peer.takeEverything()).length, 80_000)
  })

  test('on TLS a large chunk behind a small one does not wait for a drain that never comes', async () => {
    const peer = new Peer()
    const outbound = new Outbound(peer, { encrypts: true, onDrained: () => undefined })
    outbound.send([Buffer.alloc(100, 1), Buffer.alloc(20_000, 2), Buffer.alloc(20_000, 3)], 40_100)
    outbound.send([Buffer.alloc(20_000, 4)], 20_000)
    const bytes = await peer.takeEverything()
    assert.equal(bytes.length, 60_100)
    assert.deepEqual([bytes[0], bytes[100], bytes[20_100], bytes[40_100]], [1, 2, 3, 4])
    assert.equal(outbound.isFull, false)
  })

  for (const encrypts of [false, true]) {
    test(`one chunk that is larger than all bounds fills it, and its end is told${encrypts ? ', on TLS' : ''}`, async () => {
      const peer = new Peer()
      let drained = 0
      const outbound = new Outbound(peer, { encrypts, onDrained: () => drained++ })
      outbound.send([Buffer.alloc(2_000_000)], 2_000_000)
      assert.ok(outbound.isFull)
      await peer.takeEverything()
      assert.deepEqual([outbound.isFull, outbound.pendingBytes, drained], [false, 0, 1])
    })
  }

  test('ends after everything that was sent', async () => {
    const peer = new Peer()
    const outbound = new Outbound(peer, { encrypts: false, onDrained: () => undefined })
    for (let at = 0; at < 20; at++) outbound.send([Buffer.alloc(50_000, at)], 50_000)
    outbound.end()
    assert.equal(peer.writableEnded, false)
    const bytes = await peer.takeEverything()
    assert.equal(bytes.length, 1_000_000)
    await turn()
    assert.ok(peer.writableFinished)
  })

  test('ends at once where nothing waits', async () => {
    const peer = new Peer()
    new Outbound(peer, { encrypts: false, onDrained: () => undefined }).end()
    await turn()
    assert.ok(peer.writableFinished)
  })

  test('gives back what frames hold when it is abandoned: those in the queue and those on their way', async () => {
    const peer = new Peer()
    const outbound = new Outbound(peer, { encrypts: false, onDrained: () => undefined })
    const budget = new ByteBudget(1e9)
    for (let at = 0; at < 10; at++) outbound.send([Buffer.alloc(100_000)], 100_000, held(budget, 100_000))
    await turn()
    assert.equal(budget.inUseBytes, 1_000_000)
    peer.destroy()
    outbound.abandon()
    assert.equal(budget.inUseBytes, 0)
    await turn()
    assert.equal(budget.inUseBytes, 0)
  })

  for (const over of ['abandon', 'end'] as const) {
    test(`a frame sent after ${over} holds nothing and breaks nothing`, async () => {
      const peer = new Peer()
      peer.on('error', error => assert.fail(error.message))
      const outbound = new Outbound(peer, { encrypts: false, onDrained: () => undefined })
      const budget = new ByteBudget(1e9)
      outbound[over]()
      outbound.send([Buffer.alloc(10)], 10, held(budget, 10))
      await turn()
      assert.equal(budget.inUseBytes, 0)
    })
  }
})
