/** What clients may put into a TLS handshake, and what the listener never has to offer. */
import assert from 'node:assert/strict'
import { connect as connectTcp } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { listenerTls, upstreamTls } from '../../src/config/tls-sections.ts'
import { sClient } from '../tls/connections.ts'
import { without } from '../tls/programs.ts'
import { Live, newServer } from './live-certificates.ts'

const live = new Live()
before(async () => {
  live.serve(newServer())
  await live.start()
})
after(() => live.stop())

/** A ClientHello with an extension of the given type and content, as a stranger may write it. */
function clientHello(extension: number, content: Buffer): Buffer {
  const u16 = (value: number) => Buffer.of(value >> 8, value & 255)
  const ext = (type: number, body: Buffer) => Buffer.concat([u16(type), u16(body.length), body])
  const extensions = Buffer.concat([
    ext(extension, content),
    ext(10, Buffer.from('00020017', 'hex')),
    ext(13, Buffer.from('00020403', 'hex')),
  ])
  const body = Buffer.concat([
    Buffer.from('0303', 'hex'),
    Buffer.alloc(32, 7),
    Buffer.of(0),
    Buffer.from('0002c02b0100', 'hex'),
    u16(extensions.length),
    extensions,
  ])
  const hello = Buffer.concat([Buffer.of(1, 0), u16(body.length), body])
  return Buffer.concat([Buffer.from('160301', 'hex'), u16(hello.length), hello])
}

/** The type of the first TLS record that comes back: 22 goes on, 21 is an alert; undefined where there was none. */
function answerTo(bytes: Buffer): Promise<number | undefined> {
  return new Promise(resolve => {
    const socket = connectTcp(live.gateway.port, '127.0.0.1', () => socket.write(bytes))
    socket.on('error', () => resolve(undefined))
    socket.on('close', () => resolve(undefined))
    socket.once('data', chunk => {
      resolve(chunk[0])
      socket.destroy()
    })
  })
}

const serverName = (name: Buffer): Buffer => {
  const entry = Buffer.concat([Buffer.of(0, name.length >> 8, name.length & 255), name])
  return Buffer.concat([Buffer.of(entry.length >> 8, entry.length & 255), entry])
}

async function stillServes(): Promise<void> {
  const { socket, error } = await live.shake()
  socket.destroy()
  assert.equal(error, undefined)
}

describe('a listener in its handshakes', () => {
  test('C-06: staples no OCSP answer, and no key of the configuration could make it', {
    skip: without('openssl'),
  }, async () => {
    assert.match(await sClient(live.gateway.port, '-status'), /OCSP response: no response sent/)
    const keys = [...Object.keys(listenerTls.leaves!), ...Object.keys(upstreamTls.leaves!)]
    assert.ok(keys.includes('crl'))
    assert.deepEqual(
      keys.filter(key => /ocsp|stapl/i.test(key)),
      [],
    )
  })

  test('C-07: any server name gets the one certificate; names too long, empty or not UTF-8 harm nobody', async () => {
    for (const servername of ['localhost', 'no-such-host.example', 'x'.repeat(200)]) {
      const { socket, error } = await live.shake({ servername, checkServerIdentity: () => undefined })
      assert.equal(error, undefined, servername)
      socket.destroy()
    }
    const [handshake, alert] = [22, 21]
    assert.equal(await answerTo(clientHello(0, serverName(Buffer.from('localhost')))), handshake)
    for (const name of [Buffer.alloc(256, 0x61), Buffer.from('nul\0byte.example')]) {
      assert.equal(await answerTo(clientHello(0, serverName(name))), alert, name.toString('latin1').slice(0, 20))
    }
    // Empty, not UTF-8: nothing reads the name where there is one certificate.
    for (const name of ['', 'fffe80']) {
      assert.equal(await answerTo(clientHello(0, serverName(Buffer.from(name, 'hex')))), handshake, name)
    }
    for (const damaged of ['', '00', '0005', '000500', 'ffff00ffff']) {
      assert.equal(await answerTo(clientHello(0, Buffer.from(damaged, 'hex'))), alert, damaged)
    }
    await stillServes()
  })

  test('C-08: application protocols are not agreed on, whatever is offered', async () => {
    for (const ALPNProtocols of [
      ['kafka'],
      ['h2', 'http/1.1'],
      Array.from({ length: 200 }, (_, at) => `proto-${at}`),
    ]) {
      const { socket, error } = await live.shake({ ALPNProtocols })
      assert.equal(error, undefined)
      assert.equal(socket.alpnProtocol, false)
      socket.destroy()
    }
    for (const damaged of ['', '0000', '000100', '0003056162', 'ffff02683200']) {
      assert.equal(await answerTo(clientHello(16, Buffer.from(damaged, 'hex'))), 21, damaged)
    }
    await stillServes()
  })

  test('C-13: a client that says it has fallen back is refused, and no weak way in is left', {
    skip: without('openssl'),
  }, async () => {
    // The whole of it by scanners: test/system/tls-scanners.test.ts.
    assert.match(await sClient(live.gateway.port, '-fallback_scsv -no_tls1_3'), /inappropriate fallback/)
    for (const args of [
      '-cipher kRSA@SECLEVEL=0 -no_tls1_3',
      '-cipher aNULL@SECLEVEL=0 -no_tls1_3',
      '-tls1_2 -comp -cipher 3DES@SECLEVEL=0',
    ]) {
      assert.match(
        await sClient(live.gateway.port, args),
        /Cipher is \(NONE\)|no cipher match|no ciphers available/,
        args,
      )
    }
  })
})
