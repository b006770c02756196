import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:tls'
import { createRoot, issueServer } from '../../src/tls/certificate-authority.ts'
import { loadServerTls } from '../../src/tls/server-context.ts'
import { CIPHERS } from '../../src/tls/tls-profile.ts'
import { identityOf, now } from './authorities.ts'
import { closeAll, type Running, sClient, serve, visit } from './connections.ts'
import { loading, source, trusting } from './listener.ts'
import { Workbench, without } from './programs.ts'

const bench = new Workbench()
after(() => bench.remove())
after(closeAll)

describe('what a listener speaks', { skip: without('openssl') }, () => {
  const rsaRoot = createRoot({ subject: 'CN=RSA Root', now, keyType: 'RSA-2048' })
  const rsa = issueServer(rsaRoot, { names: ['localhost'], now, keyType: 'RSA-2048' })
  let running: Running
  let rsaRunning: Running
  before(async () => {
    running = await serve(loadServerTls(source(), loading).serverOptions)
    rsaRunning = await serve(loadServerTls(source({ identity: identityOf(rsa) }), loading).serverOptions)
  })
  after(async () => {
    await running.close()
    await rsaRunning.close()
  })

  const refusedBy = async (port: number, args: string) => {
    const printed = await sClient(port, args)
    assert.match(printed, /Cipher is \(NONE\)/, args)
    return printed
  }

  test('C-03: TLS 1.0 and 1.1 are refused with an alert, 1.2 and 1.3 are spoken', async () => {
    for (const version of ['-tls1', '-tls1_1']) {
      for (const { port } of [running, rsaRunning]) {
        const printed = await refusedBy(port, `${version} -cipher DEFAULT@SECLEVEL=0`)
        assert.match(printed, /alert protocol version/)
      }
    }
    assert.match(await sClient(running.port, '-tls1_2'), /New, TLSv1\.2, Cipher is ECDHE-ECDSA-AES128-GCM-SHA256/)
    assert.match(await sClient(running.port, '-tls1_3'), /New, TLSv1\.3, Cipher is TLS_AES_128_GCM_SHA256/)
  })

  test('C-03: with minVersion TLSv1.3 a client of 1.2 is refused', async () => {
    const only13 = await serve(loadServerTls(source({ minVersion: 'TLSv1.3' }), loading).serverOptions)
    assert.match(await refusedBy(only13.port, '-tls1_2'), /alert protocol version/)
    assert.equal((await visit({ ...trusting, port: only13.port })).protocol, 'TLSv1.3')
    await only13.close()
  })

  test('C-04: every cipher without forward secrecy or authenticated encryption is refused, one by one', async () => {
    const all = (await bench.line('openssl ciphers -tls1_2 -s ALL:@SECLEVEL=0')).trim().split(':')
    const allowed = new Set(CIPHERS.split(':'))
    const weak = all.filter(cipher => !cipher.startsWith('TLS_') && !allowed.has(cipher))
    assert.ok(
      weak.includes('ECDHE-RSA-AES128-SHA256') &&
        weak.includes('AES128-GCM-SHA256') &&
        weak.includes('DHE-RSA-AES128-GCM-SHA256'),
    )
    for (const { port } of [running, rsaRunning]) {
      // Together first: where none of them is accepted, no single one is.
      await refusedBy(port, `-tls1_2 -cipher ${weak.join(':')}:@SECLEVEL=0`)
    }
    for (const cipher of [
      'ECDHE-RSA-AES128-SHA256',
      'ECDHE-RSA-AES256-SHA',
      'AES128-SHA',
      'DHE-RSA-AES256-GCM-SHA384',
    ]) {
      await refusedBy(rsaRunning.port, `-tls1_2 -cipher ${cipher}:@SECLEVEL=0`)
    }
  })

  test('C-04: every cipher on the list can be had', async () => {
    for (const cipher of CIPHERS.split(':').filter(name => name.startsWith('ECDHE'))) {
      const { port } = cipher.includes('ECDSA') ? running : rsaRunning
      assert.match(await sClient(port, `-tls1_2 -cipher ${cipher}`), new RegExp(`Cipher is ${cipher}`))
    }
    for (const cipher of CIPHERS.split(':').filter(name => name.startsWith('TLS_'))) {
      assert.match(await sClient(running.port, `-tls1_3 -ciphersuites ${cipher}`), new RegExp(`Cipher is ${cipher}`))
    }
  })

  test('C-04: a client that puts ChaCha20 first gets it', async () => {
    const args = '-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256'
    assert.match(await sClient(running.port, args), /Cipher is ECDHE-ECDSA-CHACHA20-POLY1305/)
  })

  test('SHA-1 signatures and weak curves are refused', async () => {
    await refusedBy(rsaRunning.port, '-tls1_2 -sigalgs RSA+SHA1 -cipher DEFAULT@SECLEVEL=0')
    await refusedBy(running.port, '-tls1_2 -curves secp224r1 -cipher DEFAULT@SECLEVEL=0')
  })

  test('A-18: a client that renegotiates is refused', async () => {
    // s_client asks for it with an R at the beginning of a line, once the handshake is done.
    const printed = await sClient(running.port, '-tls1_2', 'R\n')
    assert.match(printed, /RENEGOTIATING/)
    assert.match(printed, /no renegotiation/)
    const socket = connect({ ...trusting, host: '127.0.0.1', port: running.port, maxVersion: 'TLSv1.2' })
    await once(socket, 'secureConnect')
    const refused = new Promise(resolve => {
      socket.on('error', resolve)
      socket.renegotiate({ rejectUnauthorized: true }, resolve)
    })
    assert.match(String(await refused), /no[_ ]renegotiation/i)
    socket.destroy()
  })

  test('C-12: early data is neither offered nor accepted', async () => {
    const [session, early] = [`${bench.folder}/session.pem`, bench.write('early.txt', 'early bytes\n')]
    // Tickets come after the handshake: s_client must stay until the server hangs up.
    const parting = await serve(loadServerTls(source(), loading).serverOptions, socket => {
      setTimeout(() => socket.end(), 100)
      return 'hello'
    })
    await sClient(parting.port, `-tls1_3 -sess_out ${session} -ign_eof`)
    const tickets = await bench.line(`openssl sess_id -in ${session} -noout -text`)
    assert.doesNotMatch(tickets, /Max Early Data: [1-9]/)
    assert.match(tickets, /TLSv1\.3/)
    const second = await sClient(parting.port, `-tls1_3 -sess_in ${session} -early_data ${early} -ign_eof`)
    assert.match(second, /Reused, TLSv1\.3/)
    assert.match(second, /Early data was not sent/)
    await parting.close()
  })

  test('compression is never agreed on', async () => {
    assert.match(await sClient(running.port, '-tls1_2 -comp'), /Compression: NONE/)
  })
})

describe('who comes without speaking TLS', () => {
  test('A-04: a handshake that is never finished ends after its time', async () => {
    const running = await serve(loadServerTls(source(), { ...loading, handshakeTimeoutMs: 300 }).serverOptions)
    const silent = connectTcp(running.port, '127.0.0.1')
    const half = connectTcp(running.port, '127.0.0.1', () => half.write(Buffer.from('1603010200010001fc0303', 'hex')))
    const started = Date.now()
    silent.on('error', () => {})
    half.on('error', () => {})
    await Promise.all([once(silent, 'close'), once(half, 'close')])
    const took = Date.now() - started
    assert.ok(took >= 250 && took < 2000, `${took} ms`)
    assert.equal(running.failures.length, 2)
    assert.ok(running.failures.every(error => (error as NodeJS.ErrnoException).code === 'ERR_TLS_HANDSHAKE_TIMEOUT'))
    await running.close()
  })

  test('A-17: HTTP, an SSL 2 hello and noise are one failure each', async () => {
    const running = await serve(loadServerTls(source(), loading).serverOptions)
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from(`802e0100020015000000100100800200800300800400800500800600400700c0${'5a'.repeat(17)}`, 'hex'),
      Buffer.alloc(64, 0xa5),
    ]) {
      const socket = connectTcp(running.port, '127.0.0.1', () => socket.write(bytes))
      socket.on('error', () => {})
      await once(socket.resume(), 'close')
    }
    assert.equal(running.failures.length, 3)
    assert.equal((await visit({ ...trusting, port: running.port })).greeting, 'hello')
    await running.close()
  })
})
