import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { verifiedName } from '../../src/tls/peer-certificate.ts'
import { loadServerTls } from '../../src/tls/server-context.ts'
import { client, file, issuing, pem, root, server, stranger, strangerRoot } from './authorities.ts'
import { closeAll, serve, visit } from './connections.ts'
import { asClient, loading, mutual, source, trusting } from './listener.ts'
import { Workbench, without } from './programs.ts'

const bench = new Workbench()
after(() => bench.remove())
after(closeAll)

describe('C-10: client certificates', () => {
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
      assert.match(
        String(running.failures.at(-1)),
        /the client certificate is from an authority that is not in clientCa/,
      )
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
      return String(verifiedName(socket, { clientAuth: 'request', now: new Date() }))
    })
    const options = { ...trusting, ...asClient(stranger) }
    const { session } = await visit({ ...options, port: careless.port })
    assert.equal((await visit({ ...options, port: careless.port, session: session! })).resumed, true)
    assert.equal((await visit({ ...options, port: careful.port, session: session! })).greeting, undefined)
    assert.match(String(careful.failures[0]), /the client certificate is from an authority that is not in clientCa/)
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
      String(verifiedName(socket, { clientAuth: 'require', now: new Date() })),
    )
    const { session } = await visit({ ...trusting, port: open.port })
    assert.equal((await visit({ ...trusting, port: open.port, session: session! })).resumed, true)
    assert.equal((await visit({ ...trusting, port: guarded.port, session: session! })).greeting, undefined)
    await open.close()
    await guarded.close()
  })

  test('a session that one listener trusts does not open another that trusts somebody else', async () => {
    const ticketKeys = Buffer.alloc(48, 7)
    const listener = (trusted: string) => {
      const clientCa = pem('ca.pem', trusted)
      const { serverOptions } = loadServerTls(source({ clientAuth: 'require', clientCa }), loading)
      return serve({ ...serverOptions, ticketKeys }, socket =>
        String(verifiedName(socket, { clientAuth: 'require', now: new Date() })),
      )
    }
    const [theirs, ours] = [await listener(strangerRoot.certificate), await listener(root.certificate)]
    const options = { ...trusting, ...asClient(stranger) }
    const { session, greeting } = await visit({ ...options, port: theirs.port })
    assert.equal(greeting, 'CN=mallory')
    assert.equal((await visit({ ...options, port: theirs.port, session: session! })).resumed, true)
    assert.equal((await visit({ ...options, port: ours.port, session: session! })).greeting, undefined)
    await theirs.close()
    await ours.close()
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
