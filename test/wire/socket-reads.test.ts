import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ReceiveBuffers } from '../../src/wire/receive-buffers.ts'
import { type Slabs, SocketReads } from '../../src/wire/socket-reads.ts'
import { acceptedPair } from '../support/accepted-pair.ts'
import { assertHeldBack } from '../support/held-back.ts'
import { until } from '../support/until.ts'

const noSlabs: Slabs = {
  target: () => undefined,
  filled: () => undefined,
  takes: () => false,
  frameEnded: () => undefined,
  end: () => undefined,
}

const opened: (() => void)[] = []
afterEach(() => {
  for (const close of opened.splice(0)) close()
})

for (const [what, isTls] of [
  ['TCP', false],
  ['TLS', true],
] as const) {
  describe(`SocketReads, ${what}`, () => {
    async function pair() {
      const { near, far, close } = await acceptedPair(isTls)
      opened.push(close)
      return { near, far }
    }

    function read(socket: Socket, onChunk: (chunk: Buffer) => void, slabs = noSlabs): SocketReads {
      const reads = SocketReads.of(socket, new ReceiveBuffers(), slabs, onChunk)
      assert.ok(reads, `this Node (${process.version}) lets nobody read below its streams`)
      return reads
    }

    test('hands over what its stream holds already, then what comes, and the end after the last byte', async () => {
      const { near, far } = await pair()
      near.read(0)
      far.write('first ')
      await until('it is here', () => near.readableLength === 6)
      near.unshift('zeroth ')
      let received = ''
      read(near, chunk => {
        received += chunk
      })
      assert.equal(received, '', 'before the next tick')
      far.write('second ')
      await until('all', () => received === 'zeroth first second ')
      far.end('third')
      await once(near, 'end')
      assert.equal(received, 'zeroth first second third')
    })

    test('a stream that has ended already is handed over, and its end', async () => {
      const { near, far } = await pair()
      near.read(0)
      far.end('all there is')
      await until('it is here', () => near.readableLength === 12)
      await delay(20)
      let received = ''
      read(near, chunk => {
        received += chunk
      })
      await once(near, 'end')
      assert.equal(received, 'all there is')
    })

    test('a socket that is not read stops its peer; what was sent meanwhile comes after, complete and in order', async () => {
      const { near, far } = await pair()
      const chunks: Buffer[] = []
      const reads = read(near, chunk => chunks.push(chunk))
      reads.pause()
      await assertHeldBack({ near, far }, chunks, () => reads.resume())
    })

    test('a pause from within stops what comes after, and a socket that is destroyed from within says nothing more', async () => {
      const { near, far } = await pair()
      let received = ''
      const reads = read(near, chunk => {
        received += chunk
        if (received.endsWith('pause')) reads.pause()
        if (received.endsWith('destroy')) near.destroy()
      })
      far.write('pause')
      await until('it is here', () => received === 'pause')
      far.write(' destroy')
      await delay(30)
      assert.equal(received, 'pause')
      reads.resume()
      await until('it is here', () => received === 'pause destroy')
      far.write('late')
      await delay(30)
      reads.resume()
      assert.equal(received, 'pause destroy')
    })

    test('a pause holds while a slab fills, too', async () => {
      const { near, far } = await pair()
      const slab = Buffer.alloc(100)
      let filled = 0
      const slabs = {
        ...noSlabs,
        target: () => slab,
        filled(bytes: number) {
          filled += bytes
          reads.pause()
          return undefined
        },
      }
      const reads = read(near, () => undefined, slabs)
      // The first read goes where it was to go before there were slabs.
      far.write('?')
      await delay(10)
      far.write(Buffer.alloc(300))
      await until('it is read', () => filled >= 100)
      await delay(30)
      // TLS hands over all of a record that it has opened.
      if (!isTls) assert.equal(filled, 100)
      reads.resume()
      await until('it is read on', () => filled === (isTls ? 300 : 200))
    })
  })
}
