import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readBy } from '../../src/wire/handle-reads.ts'
import { acceptedPair } from '../support/accepted-pair.ts'
import { until } from '../support/until.ts'

// Should a later Node keep these things otherwise, this fails there: then `node-handles.ts` has to be looked at, and till then
// sockets are read through their streams.
for (const [what, isTls] of [
  ['TCP', false],
  ['TLS', true],
] as const) {
  describe(`reads below the stream of a socket, ${what} (${process.version})`, () => {
    test('into the buffer that was named last, until the end', async () => {
      const { near, far, close } = await acceptedPair(isTls)
      const [small, large] = [Buffer.alloc(10), Buffer.alloc(20)]
      let [current, received] = [small, '']
      const lengths: number[] = []
      const isRead = readBy(near, small, {
        isReading: true,
        received(bytes) {
          lengths.push(bytes)
          received += current.toString('latin1', 0, bytes)
          if (current === large) return undefined
          current = large
          return large
        },
      })
      assert.equal(isRead, true)
      near._read(0)
      far.write('abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ')
      await until('it is here', () => received.length === 62)
      assert.equal(received, 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ')
      assert.deepEqual(lengths, [10, 20, 20, 12])
      far.end()
      await once(near, 'end')
      close()
    })

    test('not on where its reader stops, and on when its stream is asked', async () => {
      const { near, far, close } = await acceptedPair(isTls)
      const reader = {
        isReading: true,
        count: 0,
        received(): undefined {
          this.count++
          this.isReading = false
        },
      }
      assert.equal(readBy(near, Buffer.alloc(100), reader), true)
      near._read(0)
      for (let at = 1; at <= 3; at++) {
        far.write('one read')
        await until('it is read', () => reader.count === at)
        await delay(20)
        far.write('one more')
        await delay(20)
        assert.equal(reader.count, at)
        reader.isReading = true
        near._read(0)
        await until('it is read on', () => reader.count === at + 1)
        reader.count--
        reader.isReading = true
        near._read(0)
      }
      close()
    })

    test('what breaks is told by the stream', async () => {
      const { near, reset, close } = await acceptedPair(isTls)
      assert.equal(readBy(near, Buffer.alloc(100), { isReading: true, received: () => undefined }), true)
      near._read(0)
      const broken = once(near, 'error') as Promise<[NodeJS.ErrnoException]>
      // Past the handshake, which has an end of its own.
      await delay(20)
      reset()
      const [error] = await broken
      assert.deepEqual([error.code, error.syscall], ['ECONNRESET', 'read'])
      close()
    })
  })
}

test('not below one that is closed, one that is not connected yet, nor one that is read so already', async () => {
  const { near, close } = await acceptedPair(false)
  const reader = { isReading: true, received: () => undefined }
  const { address, port } = near.address() as { address: string; port: number }
  const dialling = connect(port, address)
  assert.equal(readBy(dialling, Buffer.alloc(10), reader), false)
  assert.equal(readBy(near, Buffer.alloc(10), reader), true)
  assert.equal(readBy(near, Buffer.alloc(10), reader), false)
  near.destroy()
  assert.equal(readBy(near, Buffer.alloc(10), reader), false)
  dialling.destroy()
  close()
})
