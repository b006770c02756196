import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Slabs } from '../../src/wire/socket-reads.ts'
import { onreadPairs } from '../support/onread-pair.ts'
import { until } from '../support/until.ts'

const noSlabs: Slabs = {
  target: () => undefined,
  filled: () => undefined,
  takes: () => false,
  frameEnded: () => undefined,
  end: () => undefined,
}

describe('SocketReads', () => {
  const pair = onreadPairs()

  test('hands over what came before there was a reader, then what comes, and the end after the last byte', async () => {
    const { near, far, reads } = await pair()
    far.write('first ')
    await until('it is here', () => near.bytesRead === 6)
    far.write('second ')
    await delay(20)
    assert.equal(near.bytesRead, 6)
    let received = ''
    reads.start(near, noSlabs, chunk => {
      received += chunk
    })
    await until('both', () => received === 'first second ')
    far.end('third')
    await once(near, 'end')
    assert.equal(received, 'first second third')
  })

  test('a socket that is not read stops its peer; what was sent meanwhile comes after, complete and in order', async () => {
    const { near, far, reads } = await pair()
    const chunks: Buffer[] = []
    reads.start(near, noSlabs, chunk => chunks.push(chunk))
    reads.pause()
    const sent = Buffer.alloc(32 * 1024 * 1024)
    for (let at = 0; at < sent.length; at += 4) sent.writeUInt32LE(at, at)
    far.end(sent)
    await delay(100)
    assert.ok(near.bytesRead <= 64 * 1024, `${near.bytesRead} bytes although it had paused`)
    reads.resume()
    await once(near, 'end')
    assert.ok(Buffer.concat(chunks).equals(sent))
  })

  test('a pause holds while a slab fills, too', async () => {
    const { near, far, reads } = await pair()
    const slab = Buffer.alloc(100)
    let filled = 0
    const slabs = {
      ...noSlabs,
      target: () => slab,
      filled: (bytes: number) => {
        filled += bytes
        reads.pause()
        return undefined
      },
    }
    reads.start(near, slabs, () => undefined)
    await delay(10)
    // The first read goes where it was to go before there were slabs.
    far.write('?')
    await delay(10)
    far.write(Buffer.alloc(300))
    await until('it is read', () => filled === 100)
    await delay(30)
    assert.equal(filled, 100)
    reads.resume()
    await until('it is read on', () => filled === 200)
    far.destroy()
  })
})
