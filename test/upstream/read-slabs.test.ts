import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { ReadSlabs } from '../../src/upstream/read-slabs.ts'
import { until } from '../support/until.ts'

const KiB = 1024

/** What a socket would be: keeps what is pushed. */
function reading() {
  const chunks: Buffer[] = []
  const slabs = new ReadSlabs()
  slabs.socket = { push: (chunk: Buffer) => chunks.push(chunk) > 0 } as unknown as Socket
  const read = (bytes: Buffer): void => {
    const into = slabs.buffer()
    bytes.copy(into)
    slabs.callback(bytes.length, into)
  }
  return { chunks, slabs, read }
}

describe('slabs that are read to', () => {
  test('a short read is copied, and keeps nothing alive', () => {
    const { chunks, slabs, read } = reading()
    read(Buffer.from('short'))
    assert.equal(chunks[0]?.toString(), 'short')
    assert.ok(chunks[0]!.buffer.byteLength < slabs.buffer().buffer.byteLength)
  })

  test('whoever fills the shared place reads more at once from then on, until it reads little again', () => {
    const { chunks, slabs, read } = reading()
    const shared = slabs.buffer()
    read(Buffer.alloc(shared.length, 1))
    const own = slabs.buffer()
    assert.ok(own.length > shared.length)
    read(Buffer.alloc(100 * KiB, 2))
    assert.equal(chunks[1]!.buffer, own.buffer)
    assert.equal(slabs.buffer().byteOffset, own.byteOffset + 100 * KiB)
    read(Buffer.alloc(100, 3))
    assert.notEqual(chunks[2]!.buffer, own.buffer)
    assert.equal(slabs.buffer(), shared)
    assert.deepEqual(
      chunks.map(chunk => [chunk[0], chunk.at(-1), chunk.length]),
      [
        [1, 1, shared.length],
        [2, 2, 100 * KiB],
        [3, 3, 100],
      ],
    )
  })

  test('what two connections read does not mix, however it comes', async () => {
    const sent = [0, 1].map(() => randomBytes(8 * KiB * KiB))
    const server = createServer(socket => {
      void (async () => {
        const [[which]] = (await once(socket, 'data')) as [Buffer]
        const bytes = sent[which!]!
        for (let at = 0; at < bytes.length; ) {
          const length = Math.min(bytes.length - at, randomInt(2) === 0 ? randomInt(1, 500) : randomInt(1, 600 * KiB))
          if (!socket.write(bytes.subarray(at, at + length))) await once(socket, 'drain')
          at += length
        }
        socket.end()
      })()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const got: Buffer[][] = [[], []]
    const sockets = [0, 1].map(at => {
      const onread = new ReadSlabs()
      const socket = connect({ host: '127.0.0.1', port, onread })
      onread.socket = socket
      socket.write(Buffer.from([at]))
      socket.on('data', chunk => {
        got[at]!.push(chunk)
        // A reader that pauses now and then.
        if (randomInt(4) > 0) return
        socket.pause()
        setImmediate(() => socket.resume())
      })
      return socket
    })
    await until('both have ended', () => sockets.every(({ destroyed }) => destroyed))
    for (const at of [0, 1]) assert.ok(Buffer.concat(got[at]!).equals(sent[at]!), `connection ${at}`)
    server.close()
  })
})
