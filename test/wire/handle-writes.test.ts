import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { Duplex, Writable } from 'node:stream'
import { afterEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ByteBudget } from '../../src/wire/byte-budget.ts'
import { HandleWrites } from '../../src/wire/handle-writes.ts'
import { Outbound } from '../../src/wire/outbound.ts'
import { type Outgoing, writeTo } from '../../src/wire/outgoing.ts'
import { acceptedPair } from '../support/accepted-pair.ts'
import { until } from '../support/until.ts'

interface Pair {
  readonly near: Socket
  readonly far: Socket
  reset(): number
  /** What came, once `far` reads. */
  readonly received: () => Buffer
}

const opened: (() => void)[] = []
afterEach(() => {
  for (const close of opened.splice(0)) close()
})

/** `near` is accepted; `far` reads nothing before `received` was asked for. */
async function pair(isTls: boolean): Promise<Pair> {
  const { near, far, reset, close } = await acceptedPair(isTls)
  // What TLS itself has to say after the handshake has left.
  await sleep(10)
  far.pause()
  opened.push(close)
  const chunks: Buffer[] = []
  return {
    near,
    far,
    reset,
    received() {
      if (far.listenerCount('data') === 0) far.on('data', chunk => chunks.push(chunk)).resume()
      return Buffer.concat(chunks)
    },
  }
}

const noStream: Outgoing = {
  write: () => assert.fail('through the stream'),
  end: () => assert.fail('through the stream'),
}

/** Should a later Node keep these things otherwise, this fails there: then `node-handles.ts` has to be looked at. */
function below(near: Socket, onTaken: () => void, stream = noStream) {
  const writes = HandleWrites.of(near, stream, onTaken)
  assert.ok(writes, `this Node (${process.version}) lets nobody write below its streams`)
  return {
    write: (chunks: readonly Buffer[]) => writes.write(chunks, lengthOf(chunks)),
    end: () => writes.end(),
  }
}

const lengthOf = (chunks: readonly Buffer[]): number => chunks.reduce((sum, { length }) => sum + length, 0)

/** More than the system takes for a peer that reads nothing. */
const muchBytes = 32 * 1024 * 1024

for (const [what, isTls] of [
  ['TCP', false],
  ['TLS', true],
] as const) {
  describe(`writes below the stream of a socket, ${what}`, () => {
    test('one chunk and several arrive, one write after the other', async () => {
      const { near, received } = await pair(isTls)
      let taken = 0
      const writes = below(near, () => taken++)
      const write = async (...chunks: Buffer[]) => {
        const before = taken
        const isTaken = writes.write(chunks)
        assert.equal(isTaken, true, 'what is small is taken at once')
        assert.equal(taken, before, 'and not told again')
        await sleep(1)
      }
      await write(Buffer.from('one '))
      await write(Buffer.from('two '), Buffer.from('three '), Buffer.alloc(0), Buffer.from('four '))
      await write(Buffer.from('five'))
      await until('it is here', () => received().length === 23)
      assert.equal(received().toString(), 'one two three four five')
      assert.equal(taken, 0)
    })

    test('many small ones in one turn arrive in order, and are told at most once each', async () => {
      const { near, received } = await pair(isTls)
      let [taken, told] = [0, 0]
      const expected: string[] = []
      let goOn = (): void => undefined
      const writes = below(near, () => {
        told++
        goOn()
      })
      for (let at = 0; at < 60; at++) {
        const text = `<${at}>`
        expected.push(text)
        const isTaken = writes.write([Buffer.from(text)])
        if (isTaken) taken++
        else await new Promise<void>(resolve => (goOn = resolve))
        if (at % 7 === 0) await sleep(1)
      }
      await until('it is here', () => received().length === expected.join('').length)
      assert.equal(received().toString(), expected.join(''))
      assert.equal(taken + told, 60)
      assert.ok(isTls ? told > 0 : told === 0, `${told} were told`)
    })

    test('the end comes after what was taken in the same turn', async () => {
      const { near, far, received } = await pair(isTls)
      const outgoing = writeTo(near, () => assert.fail('told'))
      assert.equal(outgoing.write([Buffer.from('the last words')], 14), true)
      outgoing.end()
      received()
      await once(far, 'end')
      assert.equal(received().toString(), 'the last words')
    })

    test('the end of a stream that is idle', async () => {
      const { near, far, received } = await pair(isTls)
      const outgoing = writeTo(near, () => assert.fail('told'))
      assert.equal(outgoing.write([Buffer.from('long ago')], 8), true)
      await sleep(5)
      outgoing.end()
      received()
      await once(far, 'end')
      assert.equal(received().toString(), 'long ago')
    })

    test('small ones that a peer leaves unread are taken no more once the system is full', async () => {
      const { near, received } = await pair(isTls)
      let told = 0
      const writes = below(near, () => told++)
      const sent: Buffer[] = []
      let isTaken = true
      while (isTaken && sent.length < 100_000) {
        sent.push(Buffer.alloc(8_000, sent.length))
        isTaken = writes.write([sent.at(-1)!])
        if (isTaken) await new Promise(setImmediate)
      }
      await sleep(50)
      assert.deepEqual([isTaken, told], [false, 0])
      await until('it is here', () => received().length === lengthOf(sent), 20_000)
      assert.ok(received().equals(Buffer.concat(sent)), 'the bytes differ')
      assert.equal(told, 1)
    })

    test('a small one to a peer that is gone breaks the socket, too', async () => {
      const { near, reset } = await pair(isTls)
      const writes = below(near, () => assert.fail('told'))
      ;(near as unknown as { readonly _handle: { readStop(): void } })._handle.readStop()
      reset()
      const broken = once(near, 'error') as Promise<[NodeJS.ErrnoException]>
      await sleep(20)
      assert.equal(writes.write([Buffer.from('anybody there?')]), false)
      const [error] = await broken
      assert.match(String(error.code), /^(EPIPE|ECONNRESET)$/)
      assert.equal(error.syscall, 'write')
      assert.equal(writes.write([Buffer.from('late')]), false)
    })

    test('what the system does not take at once is told when it has', async () => {
      const { near, received } = await pair(isTls)
      let taken = 0
      const bytes = randomBytes(muchBytes)
      assert.equal(below(near, () => taken++).write([bytes.subarray(0, 1_000), bytes.subarray(1_000)]), false)
      await sleep(50)
      assert.equal(taken, 0)
      await until('it is here', () => received().length === muchBytes)
      assert.ok(received().equals(bytes), 'the bytes differ')
      await until('the system has it', () => taken === 1)
    })

    test('the memory of a write that is not over is kept', async () => {
      const { near, received } = await pair(isTls)
      const writes = below(near, () => undefined)
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc') as () => void
      assert.equal(writes.write(Array.from({ length: 512 }, () => Buffer.alloc(64 * 1024, 7))), false)
      for (let at = 0; at < 3; at++) {
        await sleep(1)
        collect()
        for (let other = 0; other < 128; other++) Buffer.alloc(64 * 1024, 9)
      }
      await until('it is here', () => received().length === 512 * 64 * 1024)
      assert.ok(
        received().every(byte => byte === 7),
        'others’ bytes are among them',
      )
    })

    test('behind what its stream has not written yet', async () => {
      const { near, received } = await pair(isTls)
      let taken = 0
      near.write(randomBytes(muchBytes))
      const outgoing = writeTo(near, () => taken++)
      assert.equal(outgoing.write([Buffer.from('be'), Buffer.from('hind')], 6), false)
      await sleep(20)
      assert.equal(taken, 0)
      await until('it is here', () => received().length === muchBytes + 6)
      assert.equal(received().toString('latin1', muchBytes), 'behind')
      await until('the system has it', () => taken === 1)
    })

    test('a peer that ends its side still gets what was being written', async () => {
      const { near, far, received } = await pair(isTls)
      const outbound = new Outbound(near, { encrypts: isTls, onDrained: () => undefined })
      const bytes = randomBytes(muchBytes)
      for (let at = 0; at < muchBytes; at += 1024 * 1024)
        outbound.send([bytes.subarray(at, at + 1024 * 1024)], 1024 * 1024)
      near.on('end', () => outbound.end()).resume()
      far.end()
      await once(near, 'end')
      await sleep(20)
      received()
      await once(far, 'end')
      assert.ok(received().equals(bytes), `${received().length} bytes of ${muchBytes} came`)
    })

    test('a peer that is gone breaks the socket as a stream would say it, and nothing is told as taken', async () => {
      const { near, far } = await pair(isTls)
      const writes = below(near, () => assert.fail('taken'))
      assert.equal(writes.write([Buffer.alloc(muchBytes)]), false)
      const broken = once(near, 'error') as Promise<[NodeJS.ErrnoException]>
      // Else the read is told first.
      ;(near as unknown as { readonly _handle: { readStop(): void } })._handle.readStop()
      // With bytes unread: the system resets the connection.
      far.destroy()
      const [error] = await broken
      assert.match(String(error.code), /^(EPIPE|ECONNRESET)$/)
      assert.equal(error.syscall, 'write')
      assert.match(error.message, /^write E/)
      await once(near, 'close')
      assert.equal(writes.write([Buffer.from('late')]), false)
    })

    test('a socket that is destroyed says nothing more', async () => {
      const { near } = await pair(isTls)
      const writes = below(near, () => assert.fail('taken'))
      assert.equal(writes.write([Buffer.alloc(muchBytes)]), false)
      near.on('error', error => assert.fail(error.message))
      near.destroy()
      await once(near, 'close')
      assert.equal(writes.write([Buffer.from('late')]), false)
    })

    test('frames of every size arrive whole and in order, and hold nothing once they have', async () => {
      const { near, received } = await pair(isTls)
      const outbound = new Outbound(near, { encrypts: isTls, onDrained: () => undefined })
      const budget = new ByteBudget(1e9)
      const sent: Buffer[] = []
      const sizes = [1, 100, 4_095, 4_096, 16_384, 70_000, 262_144, 600_000]
      for (let at = 0; at < 400; at++) {
        const chunks = Array.from({ length: 1 + (at % 4) }, (_, index) => randomBytes(sizes[(at * 7 + index * 3) % 8]!))
        const byteLength = chunks.reduce((sum, { length }) => sum + length, 0)
        sent.push(...chunks)
        if (at % 5 === 0) outbound.gather()
        outbound.send(chunks, byteLength, budget.hold(byteLength))
        if (at % 16 === 0) await sleep(0)
        if (at === 200) received()
      }
      const expected = Buffer.concat(sent)
      await until('it is here', () => received().length >= expected.length, 20_000)
      assert.ok(received().equals(expected), 'the bytes differ')
      await until('the system has it', () => outbound.pendingBytes === 0)
      assert.deepEqual([budget.inUseBytes, outbound.isFull], [0, false])
    })
  })
}

interface FakeRequest {
  oncomplete?: (status: number) => void
  getAsyncId(): number
}

/** TLS by Node's names: what it holds before a write and after it, and what the system has no room for. */
function fakeTls(before: number, after: number, unsent: number) {
  const { binding } = process as unknown as {
    binding(name: string): { streamBaseState: Int32Array; kLastWriteWasAsync: number }
  }
  const { streamBaseState, kLastWriteWasAsync } = binding('stream_wrap')
  const handle = {
    ...{ onread: () => undefined, useUserBuffer: () => undefined, readStop: () => 0, writev: () => 0 },
    ...{ writeQueueSize: before, _parent: { writeQueueSize: unsent }, request: undefined as FakeRequest | undefined },
    writeBuffer(request: FakeRequest) {
      request.getAsyncId = () => 7
      handle.request = request
      handle.writeQueueSize = after
      streamBaseState[kLastWriteWasAsync] = 1
      return 0
    },
  }
  const socket = Object.assign(new Writable(), { _handle: handle })
  socket.on('error', () => undefined)
  return { socket, handle }
}

for (const [what, { before, after, unsent, bytes, isTaken }] of [
  ['the system has', { before: 0, after: 122, unsent: 0, bytes: 100, isTaken: true }],
  ['waits for what TLS itself is sending', { before: 60, after: 182, unsent: 0, bytes: 100, isTaken: false }],
  ['TLS cannot encrypt now', { before: 0, after: 0, unsent: 0, bytes: 100, isTaken: false }],
  ['the system has no room for', { before: 0, after: 122, unsent: 122, bytes: 100, isTaken: false }],
  ['is more than a record', { before: 0, after: 20_044, unsent: 0, bytes: 20_000, isTaken: false }],
] as const) {
  test(`TLS: what ${what} is ${isTaken ? '' : 'not '}taken at once`, () => {
    const { socket, handle } = fakeTls(before, after, unsent)
    const writes = below(socket as unknown as Socket, () => assert.fail('told'))
    assert.equal(writes.write([Buffer.alloc(bytes)]), isTaken)
    assert.equal(handle.request!.oncomplete === undefined, isTaken, 'whoever waits is told')
    handle.request!.oncomplete?.(-32)
    assert.equal(socket.destroyed, !isTaken)
  })
}

test('TLS: the end waits until a write that was taken is over, so that its own last word is not cut off', () => {
  const { socket, handle } = fakeTls(0, 122, 0)
  let isEnded = false
  const stream = {
    ...noStream,
    end() {
      isEnded = true
    },
  }
  const writes = below(socket as unknown as Socket, () => assert.fail('told'), stream)
  assert.equal(writes.write([Buffer.alloc(100)]), true)
  writes.end()
  assert.equal(isEnded, false)
  handle.request!.oncomplete!(0)
  assert.equal(isEnded, true)
})

test('what is no socket, or none that is connected, is written to as a stream', async () => {
  assert.equal(
    HandleWrites.of(new Writable(), noStream, () => undefined),
    undefined,
  )
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const dialling = connect((server.address() as { port: number }).port, '127.0.0.1')
  assert.equal(
    HandleWrites.of(dialling, noStream, () => undefined),
    undefined,
  )
  await once(dialling, 'connect')
  dialling.destroy()
  assert.equal(
    HandleWrites.of(dialling, noStream, () => undefined),
    undefined,
  )
  server.close()
})

test('a stream whose peer has ended is written to until all has left', async () => {
  const taken: Buffer[] = []
  const stream = new Duplex({
    allowHalfOpen: false,
    read: () => undefined,
    write(chunk: Buffer, _, done) {
      taken.push(chunk)
      setImmediate(done)
    },
  })
  const outbound = new Outbound(stream, { encrypts: true, onDrained: () => undefined })
  const bytes = randomBytes(900_000)
  for (let at = 0; at < 3; at++) outbound.send([bytes.subarray(at * 300_000, (at + 1) * 300_000)], 300_000)
  stream.on('end', () => outbound.end()).resume()
  stream.push(null)
  await once(stream, 'finish')
  assert.ok(Buffer.concat(taken).equals(bytes), 'the bytes differ')
})
