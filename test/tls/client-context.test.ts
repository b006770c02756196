import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { connect as connectTcp } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { ConnectionOptions } from 'node:tls'
import { issueServer } from '../../src/tls/certificate-authority.ts'
import { ClientTls, type ClientTlsSource } from '../../src/tls/client-context.ts'
import { issueCertificate } from '../../src/tls/issue-certificate.ts'
import { loadServerTls } from '../../src/tls/server-context.ts'
import { client, identityOf, issuing, now, pem, root, server, strangerRoot } from './authorities.ts'
import { closeAll, type Running, serve, visit } from './connections.ts'

after(closeAll)

const source = (changes: Partial<ClientTlsSource> = {}): ClientTlsSource => ({
  ca: pem('ca.pem', root.certificate),
  minVersion: 'TLSv1.2',
  crl: [],
  dangerouslySkipVerification: false,
  ...changes,
})
const tls = (changes: Partial<ClientTlsSource> = {}) => ClientTls.load(source(changes), now)
const broker = (issued: { chain: readonly string[]; key: string }) =>
  serve(
    loadServerTls(
      { identity: identityOf(issued), clientAuth: 'none', minVersion: 'TLSv1.2', crl: [] },
      { scope: 'broker', handshakeTimeoutMs: 2000, now },
    ).serverOptions,
  )

/** Connects as `host` although the broker is on loopback. */
const as = ({ port }: Running, host: string, client: ClientTls): ConnectionOptions => ({
  ...client.connectOptions(host),
  socket: connectTcp(port, '127.0.0.1'),
})

describe('C-09: the broker is verified', () => {
  let own: Running
  let elsewhere: Running
  let wrongUse: Running
  before(async () => {
    own = await broker(server)
    elsewhere = await broker(issueServer(strangerRoot, { names: ['localhost', '127.0.0.1'], now }))
    const { cert, key } = { cert: client.chain.join(''), key: client.key }
    wrongUse = await serve({ cert, key })
  })

  test('a name or an address in the certificate will do', async () => {
    for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '::1']) {
      assert.equal((await visit(as(own, host, tls()))).greeting, 'hello', host)
    }
  })

  test('another name or address will not, and nothing is sent', async () => {
    for (const host of ['broker.example.com', 'localhost.example.com', '127.0.0.2', 'localhos']) {
      const { error, greeting } = await visit(as(own, host, tls()))
      assert.equal(error?.code, 'ERR_TLS_CERT_ALTNAME_INVALID', host)
      assert.equal(greeting, undefined)
    }
    assert.equal(Buffer.concat(own.received).length, 0)
  })

  test('serverName is the name that counts where it is given', async () => {
    assert.equal((await visit(as(own, 'broker.example.com', tls({ serverName: 'localhost' })))).greeting, 'hello')
    assert.equal(
      (await visit(as(own, 'localhost', tls({ serverName: 'kafka.internal' })))).error?.code,
      'ERR_TLS_CERT_ALTNAME_INVALID',
    )
  })

  test('a certificate of another CA, or signed by itself, will not do', async () => {
    const self = await broker(createSelfSigned())
    for (const running of [elsewhere, self]) {
      const { error } = await visit(as(running, 'localhost', tls()))
      assert.match(error?.code ?? '', /SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT/)
    }
    // A public root is no stranger: without `ca` Node's own are trusted, ours is not among them.
    const { ca: _, ...publicRoots } = source()
    assert.ok((await visit(as(own, 'localhost', ClientTls.load(publicRoots, now)))).error)
  })

  test('a certificate for clients does not make a broker', async () => {
    assert.equal((await visit(as(wrongUse, 'localhost', tls()))).error?.code, 'INVALID_PURPOSE')
  })

  test('only dangerouslySkipVerification turns it off', async () => {
    const careless = tls({ dangerouslySkipVerification: true })
    for (const running of [own, elsewhere, wrongUse]) {
      assert.equal((await visit(as(running, 'broker.example.com', careless))).greeting, 'hello')
    }
  })

  test('what is trusted may be an issuing CA or the very certificate, as in Java', async () => {
    for (const trusted of [issuing.certificate, server.certificate]) {
      assert.equal((await visit(as(own, 'localhost', tls({ ca: pem('ca.pem', trusted) })))).greeting, 'hello')
    }
  })
})

test('the server name is sent, and never an address', async () => {
  const names: unknown[] = []
  const running = await serve({ cert: server.chain.join(''), key: server.key }, socket => {
    names.push((socket as unknown as { servername: unknown }).servername)
    return 'hello'
  })
  for (const host of ['localhost', '127.0.0.1', '::1']) await visit(as(running, host, tls()))
  assert.deepEqual(names, ['localhost', false, false])
})

test('C-03, C-04: a broker that speaks only what is old is refused', async () => {
  const weak = [
    { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' },
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0' },
  ] as const
  for (const options of weak) {
    const running = await serve({ cert: server.chain.join(''), key: server.key, ...options })
    assert.match(
      (await visit(as(running, 'localhost', tls()))).error?.code ?? '',
      /^ERR_SSL_.*(ALERT|UNSUPPORTED_PROTOCOL|NO_)/,
    )
  }
  const running = await serve({ cert: server.chain.join(''), key: server.key, maxVersion: 'TLSv1.2' })
  assert.equal((await visit(as(running, 'localhost', tls()))).protocol, 'TLSv1.2')
  assert.ok((await visit(as(running, 'localhost', tls({ minVersion: 'TLSv1.3' })))).error)
})

test('the gateway shows its own certificate where a broker asks', async () => {
  const asked = loadServerTls(
    {
      identity: identityOf(server),
      clientAuth: 'require',
      clientCa: pem('ca.pem', root.certificate),
      minVersion: 'TLSv1.2',
      crl: [],
    },
    { scope: 'broker', handshakeTimeoutMs: 2000, now },
  )
  const running = await serve(asked.serverOptions, socket => socket.getPeerX509Certificate()?.subject ?? 'nobody')
  assert.match((await visit(as(running, 'localhost', tls({ identity: identityOf(client) })))).greeting ?? '', /^OU?=/)
  assert.equal((await visit(as(running, 'localhost', tls()))).greeting, undefined)
})

test('a list of revoked certificates without their CA is a mistake', () => {
  const { ca: _, ...publicRoots } = source({ crl: [pem('x.crl', '')] })
  assert.throws(() => ClientTls.load(publicRoots, now), /crl needs ca/)
})

function createSelfSigned() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = issueCertificate({
    subject: 'CN=localhost',
    publicKey,
    signingKey: privateKey,
    use: { kind: 'server' },
    alternativeNames: ['localhost'],
    notBefore: now,
    notAfter: new Date(now.getTime() + 86_400_000),
    serial: randomBytes(16),
  })
  return { chain: [certificate.toString()], key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string }
}
