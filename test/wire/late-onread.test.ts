import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls'
import { createRoot, issueServer } from '../../src/tls/certificate-authority.ts'
import { readBy } from '../../src/wire/late-onread.ts'
import { until } from '../support/until.ts'

function identity(): { readonly cert: string; readonly key: string } {
  const now = new Date()
  const root = createRoot({ subject: 'CN=root', now, days: 2 })
  const { chain, key } = issueServer(root, { names: ['localhost'], now, days: 2 })
  return { cert: chain.join(''), key }
}

// Should a later Node keep these things otherwise, this fails there: then `late-onread.ts` has to be looked at, and till then
// clients are read through their streams.
describe(`what this Node (${process.version}) lets be read into buffers of ours`, () => {
  async function accepted(isTls: boolean): Promise<{ near: Socket; far: Socket; close(): void }> {
    const server = isTls ? createTlsServer(identity()) : createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const arrived = once(server, isTls ? 'secureConnection' : 'connection') as Promise<[Socket]>
    const { port } = server.address() as { port: number }
    const far = isTls ? tlsConnect({ port, rejectUnauthorized: false }) : connect(port, '127.0.0.1')
    const [near] = await arrived
    return { near, far, close: () => void server.close() }
  }

  for (const [what, isTls] of [
    ['a TCP socket that was accepted', false],
    ['TLS on one', true],
  ] as const) {
    test(what, async () => {
      const { near, far, close } = await accepted(isTls)
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
      near.destroy()
      close()
    })
  }

  test('again and again into the last buffer where none is named', async () => {
    const { near, far, close } = await accepted(false)
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
    near.destroy()
    far.destroy()
    close()
  })

  test('not one that is read so already, nor one that is closed', async () => {
    const { near, far, close } = await accepted(false)
    const onread = { buffer: () => Buffer.alloc(10), callback: () => true }
    assert.equal(readBy(near, onread), true)
    assert.equal(readBy(near, onread), false)
    near.destroy()
    assert.equal(readBy(near, onread), false)
    far.destroy()
    close()
  })
})
