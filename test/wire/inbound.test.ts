import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { Inbound } from '../../src/wire/inbound.ts'
import { assertHeldBack } from '../support/held-back.ts'
import { until } from '../support/until.ts'

/** A stream that its test fills, and that counts how often it was asked for more. */
class Source extends Readable {
  asked = 0
  override _read(): void {
    this.asked++
  }
}

describe('Inbound', () => {
  let server: Server
  before(async () => {
    server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  })
  after(() => server.close())

  async function pair(): Promise<{ near: Socket; far: Socket }> {
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const far = connect((server.address() as { port: number }).port, '127.0.0.1')
    const [near] = await accepted
    return { near, far }
  }

  test('hands over what the stream held before, then what comes, in order', async () => {
    const { near, far } = await pair()
    far.write('first ')
    await until('it is here', () => near.read(0) === null && near.readableLength === 6)
    near.unshift('zeroth ')
    const chunks: Buffer[] = []
    new Inbound(near, chunk => chunks.push(chunk))
    far.write('second')
    await until('all', () => Buffer.concat(chunks).toString() === 'zeroth first second')
    far.destroy()
  })

  test('a socket that is not read stops its peer; what was sent meanwhile comes after, complete and in order', async () => {
    const { near, far } = await pair()
    const chunks: Buffer[] = []
    const inbound = new Inbound(near, chunk => chunks.push(chunk))
    await turn()
    inbound.pause()
    await assertHeldBack({ near, far }, chunks, () => inbound.resume())
  })

  test('the end is told after the last byte, with or without bytes before it', async () => {
    for (const last of ['', 'bytes']) {
      const { near, far } = await pair()
      let received = ''
      new Inbound(near, chunk => {
        received += chunk
      })
      far.end(last)
      await once(near, 'end')
      assert.equal(received, last)
    }
  })

  test('an end that came before anybody looked is told', async () => {
    const { near, far } = await pair()
    far.end('early')
    await until('both are here', () => near.read(0) === null && near.readableLength === 5)
    await delay(20)
    let received = ''
    new Inbound(near, chunk => {
      received += chunk
    })
    await once(near, 'end')
    assert.equal(received, 'early')
  })

  test('every chunk is handed over once, whenever its owner pauses and goes on', async () => {
    const step = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 9 }),
      fc.constantFrom('pause' as const, 'resume' as const),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
        const source = new Source()
        const received: Buffer[] = []
        const inbound = new Inbound(source, chunk => received.push(chunk))
        const sent: Uint8Array[] = []
        for (const what of steps) {
          if (what === 'pause') inbound.pause()
          else if (what === 'resume') inbound.resume()
          else {
            sent.push(what)
            assert.equal(source.push(Buffer.from(what)), inbound.isReading)
          }
        }
        assert.deepEqual(Buffer.concat(received), Buffer.concat(sent))
        assert.equal(source.readableLength, 0)
        const { asked } = source
        inbound.pause()
        inbound.resume()
        inbound.resume()
        assert.equal(source.asked, asked + 1)
      }),
    )
  })
})
