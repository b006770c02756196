import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { UpstreamError } from '../../src/errors.ts'
import { BrokerConnection, type BrokerConnectionOptions } from '../../src/upstream/broker-connection.ts'
import { ByteBudget, type Reservation } from '../../src/wire/byte-budget.ts'
import type { Frame } from '../../src/wire/frame.ts'
import { ReceiveBuffers } from '../../src/wire/receive-buffers.ts'
import { framed } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const codeOf = (error: Error | undefined): unknown => (error instanceof UpstreamError ? error.code : error)

interface Taken {
  readonly id: number
  readonly frame: Frame
  readonly held: Reservation
}

for (const [how, isConnected] of [
  // One that is not connected yet has nothing below its stream.
  ['through its stream', false],
  ['into buffers that are used again', true],
] as const) {
  describe(`BrokerConnection that is read ${how}`, () => {
    let server: Server
    let broker: Socket
    let connection: BrokerConnection
    let budget: ByteBudget
    let buffers: ReceiveBuffers
    let closings: (Error | undefined)[]
    let taken: Taken[]

    async function open(options: Partial<BrokerConnectionOptions> = {}): Promise<void> {
      const { port } = server.address() as { port: number }
      const accepted = new Promise<Socket>(resolve => server.once('connection', resolve))
      const socket = connect({ host: '127.0.0.1', port })
      if (isConnected) await once(socket, 'connect')
      connection = new BrokerConnection({
        socket,
        budget,
        buffers,
        frameBytesMax: 10 * 1024 * 1024,
        onWritable: () => undefined,
        onClosed: error => closings.push(error),
        ...options,
      })
      broker = await accepted
      broker.on('error', () => undefined)
    }

    beforeEach(async () => {
      server = createServer()
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      budget = new ByteBudget(1024 * 1024)
      buffers = new ReceiveBuffers()
      closings = []
      taken = []
      await open()
    })
    afterEach(() => {
      connection.destroy()
      broker.destroy()
      server.close()
    })

    function send(id: number): void {
      const bytes = framed(Buffer.from(`request ${id}`))
      const onAnswer = (frame: Frame, held: Reservation): void => void taken.push({ id, frame, held })
      connection.send({ chunks: [bytes], byteLength: bytes.length, onAnswer })
    }
    const text = ({ frame }: Taken): string => Buffer.concat(frame.chunks).toString('latin1', 4)

    test('pairs answers with requests in their order, hundreds in flight', async () => {
      for (let id = 0; id < 300; id++) send(id)
      broker.write(Buffer.concat(Array.from({ length: 300 }, (_, id) => framed(Buffer.from(`answer ${id}`)))))
      await until('all answers', () => taken.length === 300)
      assert.ok(taken.every((each, at) => each.id === at && text(each) === `answer ${at}`))
    })

    test('an answer holds its bytes until the taker releases them', async () => {
      send(1)
      broker.write(framed(Buffer.alloc(1_000)))
      await until('the answer', () => taken.length === 1)
      assert.equal(budget.inUseBytes, 1_004)
      taken[0]!.held.release()
      assert.equal(budget.inUseBytes, 0)
    })

    test('a long answer is reserved when it is announced, and not read on without budget', async () => {
      const full = budget.hold(0)
      full.grow(2 * 1024 * 1024, () => undefined)
      send(1)
      const answer = framed(Buffer.alloc(900_000))
      broker.write(answer)
      await until('it waits', () => !connection.isReading)
      await delay(50)
      assert.equal(taken.length, 0)
      assert.ok(connection.partialBytes < answer.length)
      full.release()
      await until('the answer', () => taken.length === 1)
      assert.equal(budget.inUseBytes, answer.length)
      taken[0]!.held.release()
    })

    test('an answer that waits for budget gives its place back when the connection ends', async () => {
      const full = budget.hold(0)
      full.grow(2 * 1024 * 1024, () => undefined)
      send(1)
      broker.write(framed(Buffer.alloc(900_000)))
      await until('it waits', () => budget.waitingCount === 1)
      connection.destroy()
      assert.equal(budget.waitingCount, 0)
      full.release()
      assert.equal(budget.inUseBytes, 0)
    })

    test('an owner that pauses in the middle of one read gets the rest of it when it goes on', async () => {
      for (let id = 1; id <= 3; id++) {
        const onAnswer = (frame: Frame, held: Reservation): void => {
          taken.push({ id, frame, held })
          if (id === 1) connection.pauseReading()
        }
        connection.send({ chunks: [framed(Buffer.from('request'))], byteLength: 11, onAnswer })
      }
      broker.write(Buffer.concat([1, 2, 3].map(id => framed(Buffer.alloc(100, id)))))
      await until('the first', () => taken.length === 1)
      await delay(20)
      assert.equal(taken.length, 1)
      connection.resumeReading()
      assert.deepEqual(
        taken.map(({ id, frame }) => [id, frame.chunks[0]![4]]),
        [
          [1, 1],
          [2, 2],
          [3, 3],
        ],
      )
    })

    test('what a broker answered before its end is handed out although its owner has paused', async () => {
      send(1)
      const onAnswer = (frame: Frame, held: Reservation): void => {
        taken.push({ id: 2, frame, held })
        connection.pauseReading()
      }
      connection.send({ chunks: [framed(Buffer.from('request'))], byteLength: 11, onAnswer })
      send(3)
      broker.end(Buffer.concat([1, 2, 3].map(id => framed(Buffer.alloc(100, id)))))
      await until('the first two', () => taken.length === 2)
      connection.resumeReading()
      await until('the end', () => closings.length === 1)
      assert.equal(taken.length, 3)
    })

    test('its owner can stop the reading and let it go on', async () => {
      connection.pauseReading()
      send(1)
      broker.write(framed(Buffer.alloc(100)))
      await delay(50)
      assert.equal(taken.length, 0)
      connection.resumeReading()
      await until('the answer', () => taken.length === 1)
    })

    test('says how much of an answer has come that is not complete', async () => {
      send(1)
      assert.equal(connection.partialBytes, 0)
      const answer = framed(Buffer.alloc(100))
      broker.write(answer.subarray(0, 30))
      await until('some of it', () => connection.partialBytes === 30)
      broker.write(answer.subarray(30))
      await until('all of it', () => taken.length === 1)
      assert.equal(connection.partialBytes, 0)
    })

    for (const [what, bytes] of [
      ['an answer to no request', framed(Buffer.alloc(10))],
      ['a negative length', Buffer.from('ffffffff', 'hex')],
      ['a length beyond the limit', Buffer.from('7fffffff', 'hex')],
      ['a length that holds no correlation id', Buffer.from('0000000300000000', 'hex')],
    ] as const) {
      test(`A-23: ${what} closes it, with the broker named as the one who misbehaved`, async () => {
        broker.write(bytes)
        await until('it is closed', () => closings.length === 1)
        assert.equal(codeOf(closings[0]), 'VKITM_UPSTREAM_MISBEHAVED')
      })
    }

    test('the broker’s end is told once, without an error; a broken connection with one', async () => {
      broker.end()
      await until('it is closed', () => closings.length === 1)
      connection.destroy()
      assert.deepEqual(closings, [undefined])
      await open()
      broker.resetAndDestroy()
      await until('it is closed', () => closings.length === 2)
      assert.equal(codeOf(closings[1]), 'VKITM_UPSTREAM_LOST')
    })

    test('end sends what was accepted before it closes', async () => {
      let received = 0
      broker.on('data', chunk => {
        received += chunk.length
      })
      const bytes = Buffer.alloc(2_000_000)
      connection.send({ chunks: [bytes], byteLength: bytes.length, held: budget.hold(bytes.length) })
      connection.end()
      await until('all of it', () => received === bytes.length && broker.readableEnded)
      await until('it is given back', () => budget.inUseBytes === 0)
    })

    test('is not writable while the broker does not take what is sent, and says when it is again', async () => {
      let writable = 0
      connection.destroy()
      await open({ onWritable: () => writable++ })
      broker.pause()
      const bytes = Buffer.alloc(256 * 1024)
      for (let at = 0; at < 64; at++) connection.send({ chunks: [bytes], byteLength: bytes.length })
      assert.equal(connection.isWritable, false)
      broker.resume()
      await until('it is writable', () => connection.isWritable && writable > 0)
    })
  })
}
