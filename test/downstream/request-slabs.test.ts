import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls'
import fc from 'fast-check'
import { RequestSlabs } from '../../src/downstream/request-slabs.ts'
import { createRoot, issueServer } from '../../src/tls/certificate-authority.ts'
import type { ReceivedFrame } from '../../src/wire/frame.ts'
import { FrameSplitter } from '../../src/wire/frame-splitter.ts'
import { readFrom } from '../../src/wire/incoming.ts'
import { ReceiveBuffers, slabBytesMax } from '../../src/wire/receive-buffers.ts'
import { framed } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const payloadBytesMax = 1024 * 1024

/** Whoever reads a client's requests, as a session does. */
class Taker {
  readonly frames: ReceivedFrame[] = []
  readonly begun: (readonly [slabBytes: number, announced: number])[] = []
  readonly splitter = new FrameSplitter({ payloadBytesMin: 0, payloadBytesMax })
  readonly slabs: RequestSlabs
  readonly #incoming: ReturnType<typeof readFrom>
  #isTaking = true

  constructor(socket: Socket, buffers: ReceiveBuffers) {
    this.slabs = new RequestSlabs({
      buffers,
      splitter: this.splitter,
      payloadBytesMax,
      mayBegin: (slabBytes, announced) => {
        if (!this.#isTaking) return false
        this.begun.push([slabBytes, announced])
        return true
      },
    })
    this.#incoming = readFrom(socket, buffers, this.slabs, chunk => {
      this.splitter.push(chunk)
      this.#pump()
    })
  }

  take(isTaking: boolean): void {
    this.#isTaking = isTaking
    if (isTaking) this.#pump()
  }

  end(): void {
    this.#incoming.end()
  }

  #pump(): void {
    while (this.#isTaking) {
      const frame = this.splitter.next()
      if (frame === undefined) break
      frame.giveBack = this.#incoming.frameEnded()
      this.frames.push(frame)
    }
    if (this.#isTaking || this.splitter.bufferedBytes === 0) this.#incoming.resume()
    else this.#incoming.pause()
  }
}

const bytesOf = ({ chunks }: ReceivedFrame): Buffer => Buffer.concat(chunks)
/** Bytes that no other place of any frame has. */
const payloadOf = (bytes: number, seed: number): Buffer => {
  const payload = Buffer.alloc(bytes)
  for (let at = 0; at + 4 <= bytes; at += 4) payload.writeUInt32LE((at + seed * 0x9e3779b1) >>> 0, at)
  return payload
}

describe('RequestSlabs', () => {
  const servers: { readonly name: string; readonly server: Server; connect(): Socket; accepted: string }[] = []
  before(async () => {
    const now = new Date()
    const root = createRoot({ subject: 'CN=root', now, days: 2 })
    const { chain, key } = issueServer(root, { names: ['localhost'], now, days: 2 })
    const tcp = createServer()
    const tls = createTlsServer({ cert: chain.join(''), key })
    for (const server of [tcp, tls]) await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const portOf = (server: Server) => (server.address() as { port: number }).port
    servers.push({
      name: 'TCP',
      server: tcp,
      accepted: 'connection',
      connect: () => connect(portOf(tcp), '127.0.0.1'),
    })
    servers.push({
      name: 'TLS',
      server: tls,
      accepted: 'secureConnection',
      connect: () => tlsConnect({ port: portOf(tls), rejectUnauthorized: false }),
    })
  })
  after(() => {
    for (const { server } of servers) server.close()
  })

  async function taking(buffers: ReceiveBuffers, { server, accepted, connect: dial } = servers[1]!) {
    const arrived = once(server, accepted) as Promise<[Socket]>
    const far = dial()
    far.on('error', () => undefined)
    const [near] = await arrived
    near.on('error', () => undefined)
    return { far, near, taker: new Taker(near, buffers) }
  }

  test('a request that fits a slab lies in one, in one piece; the next one in the same when it was given back', async () => {
    const buffers = new ReceiveBuffers()
    const { far, taker } = await taking(buffers)
    const seen: ArrayBufferLike[] = []
    for (let at = 0; at < 4; at++) {
      const frame = framed(payloadOf(65_700, at))
      far.write(frame)
      await until('it is here', () => taker.frames.length === at + 1)
      const taken = taker.frames[at]!
      assert.equal(taken.chunks.length, 1)
      assert.ok(bytesOf(taken).equals(frame))
      seen.push(taken.chunks[0]!.buffer)
      assert.equal(buffers.begunBytes, 0)
      if (at !== 1) taken.giveBack!()
    }
    assert.equal(seen[1], seen[0])
    assert.notEqual(seen[2], seen[1], 'kept by its taker')
    assert.equal(seen[3], seen[2])
    assert.deepEqual(taker.begun[0], [80 * 1024, 65_704])
    far.destroy()
  })

  test('a short request has none, nor one that is longer than a slab, nor one of which too little has come', async () => {
    const buffers = new ReceiveBuffers()
    const { far, taker } = await taking(buffers)
    for (const bytes of [10, 32 * 1024 - 5, slabBytesMax - 3, payloadBytesMax]) {
      far.write(framed(payloadOf(bytes, bytes)))
      await until('it is here', () => taker.frames.length > 0)
      const frame = taker.frames.pop()!
      assert.ok(bytesOf(frame).equals(framed(payloadOf(bytes, bytes))))
      assert.equal(frame.giveBack, undefined, `${bytes}`)
    }
    const long = framed(payloadOf(slabBytesMax - 4, 1))
    far.write(long.subarray(0, slabBytesMax / 8 - 1))
    await until('it is here', () => taker.splitter.bufferedBytes === slabBytesMax / 8 - 1)
    assert.equal(buffers.begunBytes, 0)
    far.write(long.subarray(slabBytesMax / 8 - 1))
    await until('it is here', () => taker.frames.length > 0)
    assert.ok(bytesOf(taker.frames[0]!).equals(long))
    assert.ok(taker.frames[0]!.giveBack !== undefined)
    far.destroy()
  })

  test('no slab where its owner wants none, or where nobody knows how long the request is', () => {
    const buffers = new ReceiveBuffers()
    const splitter = new FrameSplitter({ payloadBytesMin: 0, payloadBytesMax })
    let mayBegin = false
    const slabs = new RequestSlabs({ buffers, splitter, payloadBytesMax, mayBegin: () => mayBegin })
    const request = framed(payloadOf(65_536, 1))
    assert.equal(slabs.takes(request.subarray(0, 16_384)), false)
    assert.equal(slabs.target(), undefined)
    assert.equal(buffers.begunBytes, 0)
    mayBegin = true
    // What follows looks like the length of a request, but is in the middle of one.
    splitter.push(request.subarray(0, 3))
    const view = Buffer.alloc(16_384)
    view.writeInt32BE(100_000)
    assert.equal(slabs.takes(view), false)
    splitter.push(request.subarray(3))
    assert.equal(slabs.takes(view), false, 'behind one that waits')
    assert.ok(Buffer.concat(splitter.next()!.chunks).equals(request))
    view.writeInt32BE(payloadBytesMax + 1)
    assert.equal(slabs.takes(view), false, 'out of bounds')
    assert.equal(slabs.takes(request.subarray(0, 16_384)), true)
    slabs.end()
    assert.equal(buffers.begunBytes, 0)
  })

  test('a client that leaves in the middle leaves nothing begun behind', async () => {
    const buffers = new ReceiveBuffers()
    const { far, near, taker } = await taking(buffers)
    far.write(framed(payloadOf(100_000, 1)).subarray(0, 50_000))
    await until('it is begun', () => taker.begun.length === 1)
    assert.ok(buffers.begunBytes >= 100_000)
    near.destroy()
    taker.end()
    assert.equal(buffers.begunBytes, 0)
    assert.equal(buffers.idleBytes, 0, 'and what it lay in is not used again')
    far.destroy()
  })

  test('whoever keeps a request has its bytes, whatever others send and give back meanwhile', async () => {
    const size = fc.oneof(
      { weight: 2, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
      { weight: 4, arbitrary: fc.integer({ min: 30_000, max: 140_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: slabBytesMax - 10, max: 2 * slabBytesMax }) },
    )
    const step = fc.record({
      connection: fc.nat(2),
      size,
      cut: fc.double({ min: 0, max: 1, noNaN: true }),
      keptFor: fc.nat(6),
      isTaking: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), fc.nat(1), async (steps, kind) => {
        const buffers = new ReceiveBuffers()
        const all: Awaited<ReturnType<typeof taking>>[] = []
        for (let at = 0; at < 3; at++) all.push(await taking(buffers, servers[kind]))
        const expected = all.map((): Buffer[] => [])
        const kept: { until: number; frame: ReceivedFrame; bytes: Buffer }[] = []
        const collect = (at: number, keptFor: number): void => {
          for (const [i, { taker }] of all.entries())
            for (const frame of taker.frames.splice(0))
              kept.push({ until: at + keptFor, frame, bytes: expected[i]!.shift()! })
        }
        const check = (at: number): void => {
          for (const each of kept.splice(0)) {
            assert.ok(bytesOf(each.frame).equals(each.bytes), 'bytes of somebody else')
            if (each.until > at) kept.push(each)
            else each.frame.giveBack?.()
          }
        }
        for (const [at, { connection, size, cut, keptFor, isTaking }] of steps.entries()) {
          const { far, taker } = all[connection]!
          const bytes = framed(payloadOf(size, at + 1))
          expected[connection]!.push(bytes)
          taker.take(isTaking)
          const middle = Math.floor(bytes.length * cut)
          far.write(bytes.subarray(0, middle))
          if (at % 4 === 0) await new Promise(setImmediate)
          far.write(bytes.subarray(middle))
          if (at % 3 === 0) {
            for (const each of all) each.taker.take(true)
            await until('all are here', () =>
              all.every(({ taker: { frames } }, i) => frames.length === expected[i]!.length),
            )
          }
          collect(at, keptFor)
          check(at)
        }
        for (const { taker } of all) taker.take(true)
        await until('all are here', () =>
          all.every(({ taker: { frames } }, i) => frames.length === expected[i]!.length),
        )
        collect(0, 0)
        check(Number.POSITIVE_INFINITY)
        assert.equal(buffers.begunBytes, 0)
        for (const { far, near } of all) {
          far.destroy()
          near.destroy()
        }
      }),
      { numRuns: 40 },
    )
  })
})
