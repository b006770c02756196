import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:tls'
import { createRoot, issueServer } from '../../src/tls/certificate-authority.ts'
import { verifiedSubject } from '../../src/tls/peer-certificate.ts'
import { writeKeyStore } from '../../src/tls/pkcs12/write-pkcs12.ts'
import { type ClientAuth, loadServerTls, type ServerTlsSource } from '../../src/tls/server-context.ts'
import { CIPHERS } from '../../src/tls/tls-profile.ts'
import {
  client,
  file,
  identityOf,
  issuing,
  now,
  password,
  pem,
  root,
  server,
  stranger,
  strangerRoot,
} from './authorities.ts'
import { closeAll, type Running, sClient, serve, visit } from './connections.ts'
import { Workbench, without } from './programs.ts'

const bench = new Workbench()
after(() => bench.remove())
after(closeAll)

const loading = { scope: 'clients', handshakeTimeoutMs: 10_000, now }
const source = (changes: Partial<ServerTlsSource> = {}): ServerTlsSource => ({
  identity: identityOf(server),
  clientAuth: 'none',
  minVersion: 'TLSv1.2',
  crl: [],
  ...changes,
})
const trusting = { ca: root.certificate, servername: 'localhost' }

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

const mutual = (clientAuth: ClientAuth, changes: Partial<ServerTlsSource> = {}) => {
  const loaded = loadServerTls(source({ clientAuth, clientCa: pem('ca.pem', root.certificate), ...changes }), loading)
  return serve(loaded.serverOptions, socket => String(verifiedSubject(socket, clientAuth)))
}
const asClient = (issued: { chain: readonly string[]; key: string }) => ({
  cert: issued.chain.join(''),
  key: issued.key,
})

describe('client certificates', () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${maxVersion}: the verified subject is told, a resumed session's too`, async () => {
      const running = await mutual('require')
      const options = { ...trusting, ...asClient(client), port: running.port, maxVersion }
      const first = await visit(options)
      assert.equal(first.greeting, 'CN=alice,OU=Payments,O=Acme')
      const again = await visit({ ...options, session: first.session! })
      assert.deepEqual([again.greeting, again.resumed], ['CN=alice,OU=Payments,O=Acme', true])
      await running.close()
    })

    test(`${maxVersion}: require lets nobody in without a certificate, or with one of a stranger`, async () => {
      const running = await mutual('require')
      for (const identity of [
        {},
        asClient(stranger),
        asClient({ ...stranger, chain: [stranger.certificate, strangerRoot.certificate] }),
      ]) {
        const { greeting } = await visit({ ...trusting, ...identity, port: running.port, maxVersion })
        assert.equal(greeting, undefined)
      }
      assert.equal(running.sockets.length, 0)
      await running.close()
    })

    test(`${maxVersion}: request lets clients without a certificate in, and refuses a bad one`, async () => {
      const running = await mutual('request')
      const options = { ...trusting, port: running.port, maxVersion }
      const nobody = await visit(options)
      assert.equal(nobody.greeting, 'undefined')
      assert.deepEqual(
        await visit({ ...options, session: nobody.session! }).then(({ greeting, resumed }) => ({ greeting, resumed })),
        { greeting: 'undefined', resumed: true },
      )
      assert.equal((await visit({ ...options, ...asClient(client) })).greeting, 'CN=alice,OU=Payments,O=Acme')
      assert.equal((await visit({ ...options, ...asClient(stranger) })).greeting, undefined)
      assert.match(String(running.failures.at(-1)), /the client certificate is not trusted/)
      await running.close()
    })
  }

  test('request refuses a bad certificate on a session resumed too', async () => {
    // A ticket leaves with the handshake, before the listener has judged: a careless twin hands it out for sure.
    const ticketKeys = Buffer.alloc(48, 7)
    const { serverOptions } = loadServerTls(
      source({ clientAuth: 'request', clientCa: pem('ca.pem', root.certificate) }),
      loading,
    )
    const careless = await serve({ ...serverOptions, ticketKeys })
    const resumed: boolean[] = []
    const careful = await serve({ ...serverOptions, ticketKeys }, socket => {
      resumed.push(socket.isSessionReused())
      return String(verifiedSubject(socket, 'request'))
    })
    const options = { ...trusting, ...asClient(stranger) }
    const { session } = await visit({ ...options, port: careless.port })
    assert.equal((await visit({ ...options, port: careless.port, session: session! })).resumed, true)
    assert.equal((await visit({ ...options, port: careful.port, session: session! })).greeting, undefined)
    assert.match(String(careful.failures[0]), /the client certificate is not trusted/)
    assert.deepEqual(resumed, [true])
  })

  test('a server certificate does not pass for a client', async () => {
    const running = await mutual('request')
    assert.equal((await visit({ ...trusting, ...asClient(server), port: running.port })).greeting, undefined)
    await running.close()
  })

  test('an issuing CA without its root is refused at the start, not at every handshake', () => {
    const lonely = source({ clientAuth: 'require', clientCa: pem('ca.pem', issuing.certificate) })
    assert.throws(() => loadServerTls(lonely, loading), /^TlsError: ca\.pem: O=vkitm, CN=Test Issuing is no root/)
  })

  test('a session without certificate is of no use at another listener that shares its ticket keys', async () => {
    const ticketKeys = Buffer.alloc(48, 7)
    const open = await serve({ ...loadServerTls(source({ clientAuth: 'none' }), loading).serverOptions, ticketKeys })
    const closed = loadServerTls(source({ clientAuth: 'require', clientCa: pem('ca.pem', root.certificate) }), {
      ...loading,
      scope: 'other',
    })
    const guarded = await serve({ ...closed.serverOptions, ticketKeys }, socket =>
      String(verifiedSubject(socket, 'require')),
    )
    const { session } = await visit({ ...trusting, port: open.port })
    assert.equal((await visit({ ...trusting, port: open.port, session: session! })).resumed, true)
    assert.equal((await visit({ ...trusting, port: guarded.port, session: session! })).greeting, undefined)
    await open.close()
    await guarded.close()
  })

  test('without clientCa nobody can be asked for a certificate: any public CA would do', () => {
    assert.throws(() => loadServerTls(source({ clientAuth: 'request' }), loading), /clientAuth: request needs clientCa/)
  })
})

describe('revoked client certificates', { skip: without('openssl') }, () => {
  const revoking = async (name: string, ca: { certificate: string; key: string }, revoked: readonly string[]) => {
    bench.write(`${name}.pem`, ca.certificate)
    bench.write(`${name}.key`, ca.key)
    bench.write(`${name}.index`, '')
    bench.write(`${name}.cnf`, `[ca]\ndefault_ca=x\n[x]\ndatabase=${name}.index\ndefault_md=sha256\n`)
    const how = `-config ${name}.cnf -cert ${name}.pem -keyfile ${name}.key`
    for (const certificate of revoked) {
      bench.write('revoked.pem', certificate)
      await bench.line(`openssl ca ${how} -revoke revoked.pem`)
    }
    await bench.line(`openssl ca ${how} -gencrl -crldays 2 -out ${name}.crl`)
    return bench.read(`${name}.crl`)
  }
  const bundle = pem('ca.pem', root.certificate + issuing.certificate)

  test('are refused, also where the list stands second in a file, and where it is the issuing CA that is revoked', async () => {
    const rootList = await revoking('root', root, [])
    const cases = [
      { crl: [rootList, await revoking('issuing', issuing, [])], subject: 'CN=alice,OU=Payments,O=Acme' },
      {
        crl: [
          file(
            'all.crl',
            Buffer.concat([rootList.content, (await revoking('issuing', issuing, [client.certificate])).content]),
          ),
        ],
        subject: undefined,
      },
      {
        crl: [await revoking('root', root, [issuing.certificate]), await revoking('issuing', issuing, [])],
        subject: undefined,
      },
    ]
    for (const { crl, subject } of cases) {
      const running = await mutual('require', { clientCa: bundle, crl })
      assert.equal((await visit({ ...trusting, ...asClient(client), port: running.port })).greeting, subject)
      await running.close()
    }
  })
})

describe('key stores of Java serve', { skip: without('keytool', 'openssl') }, () => {
  test('made by keytool, looked at by openssl', async () => {
    const names = '-dname CN=kafka -ext san=dns:localhost,ip:127.0.0.1'
    await bench.line(
      `keytool -genkeypair -alias own -keyalg EC -groupname secp256r1 ${names} -storepass secret1 -keystore own.p12`,
    )
    const identity = { kind: 'pkcs12' as const, store: bench.read('own.p12'), password: password('secret1') }
    const running = await serve(loadServerTls(source({ identity }), { ...loading, now: new Date() }).serverOptions)
    await bench.line('keytool -exportcert -rfc -alias own -storepass secret1 -keystore own.p12 -file own.pem')
    const printed = await sClient(
      running.port,
      `-CAfile ${bench.folder}/own.pem -verify_return_error -verify_hostname localhost`,
    )
    assert.match(printed, /Verification: OK/)
    await running.close()
  })

  test('made by us, with a password-protected chain', async () => {
    const store = writeKeyStore({ alias: 'gateway', ...server }, 'secret1')
    const identity = { kind: 'pkcs12' as const, store: file('ours.p12', store), password: password('secret1') }
    const running = await serve(loadServerTls(source({ identity }), loading).serverOptions)
    bench.write('ca.pem', root.certificate)
    const printed = await sClient(
      running.port,
      `-CAfile ${bench.folder}/ca.pem -verify_return_error -verify_hostname localhost`,
    )
    assert.match(printed, /Verification: OK/)
    await running.close()
  })
})
