import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { readBy } from '../../src/wire/late-onread.ts'
import { acceptedPair } from '../support/accepted-pair.ts'
import { until } from '../support/until.ts'

// Should a later Node keep these things otherwise, this fails there: then `late-onread.ts` has to be looked at, and till then
// clients are read through their streams.
describe(`what this Node (${process.version}) lets be read into buffers of ours`, () => {
  for (const [what, isTls] of [
    ['a TCP socket that was accepted', false],
    ['TLS on one', true],
  ] as const) {
    test(what, async () => {
      const { near, far, close } = await acceptedPair(isTls)
      const buffers = [Buffer.alloc(10), Buffer.alloc(20)]
      let next = 0
      let received = ''
      const lengths: number[] = []
      const isRead = readBy(near, {
        buffer: () => buffers[next++ % 2]!,
        callback(bytes) {
          lengths.push(bytes)
          received += buffers[(next - 1) % 2]!.toString('latin1', 0, bytes)
          return true
        },
      })
      assert.equal(isRead, true)
      near._read(0)
      far.write('abcdefghijklmnopqrstuvwxyz')
      await until('it is here', () => received.length === 26)
      assert.equal(received, 'abcdefghijklmnopqrstuvwxyz')
      assert.deepEqual(lengths, [10, 16])
      far.end()
      await once(near, 'end')
      close()
    })
  }

  test('again and again into the last buffer where none is named', async () => {
    const { near, far, close } = await acceptedPair(false)
    const buffer = Buffer.alloc(4)
    const buffers = [buffer]
    let received = ''
    const isRead = readBy(near, {
      buffer: () => buffers.pop() as Buffer,
      callback(bytes) {
        received += buffer.toString('latin1', 0, bytes)
        return true
      },
    })
    assert.equal(isRead, true)
    near._read(0)
    far.write('abcdefghijkl')
    await until('it is here', () => received.length === 12)
    assert.equal(received, 'abcdefghijkl')
    close()
  })

  test('not one that is read so already, nor one that is closed', async () => {
    const { near, close } = await acceptedPair(false)
    const onread = { buffer: () => Buffer.alloc(10), callback: () => true }
    assert.equal(readBy(near, onread), true)
    assert.equal(readBy(near, onread), false)
    near.destroy()
    assert.equal(readBy(near, onread), false)
    close()
  })
})
