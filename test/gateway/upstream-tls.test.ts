import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { connect, createServer, type Server, type TLSSocket } from 'node:tls'
import { readWithAccess } from '../../src/config/bounded-read.ts'
import type { UpstreamTlsConfig } from '../../src/config/config.ts'
import { UpstreamTls } from '../../src/gateway/upstream-tls.ts'
import { createRoot, type Issued, issueClient, issueServer } from '../../src/tls/certificate-authority.ts'
import { writeKeyStore } from '../../src/tls/pkcs12/write-pkcs12.ts'
import { until } from '../support/until.ts'

const now = new Date()
const [root, otherRoot] = [createRoot({ subject: 'CN=r', now }), createRoot({ subject: 'CN=other', now })]
const broker = issueServer(root, { names: ['localhost'], now })
const newClient = (): Issued => issueClient(root, { subject: 'CN=gateway', now })
const serialOf = ({ certificate }: Issued): string => new X509Certificate(certificate).serialNumber

const folder = mkdtempSync(join(tmpdir(), 'vkitm-upstream-'))
const write = (name: string, content: string): void => writeFileSync(join(folder, name), content, { mode: 0o600 })
const file = async (name: string) => ({ path: join(folder, name), ...(await readWithAccess(join(folder, name))) })

let server: Server
let [seen, open]: [(string | undefined)[], TLSSocket[]] = [[], []]

before(async () => {
  const options = { cert: broker.certificate, key: broker.key, ca: root.certificate, requestCert: true }
  server = createServer(options, socket => {
    seen.push(socket.getPeerX509Certificate()?.serialNumber)
    socket.on('error', () => undefined).resume()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
after(() => {
  for (const socket of open) socket.destroy()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  seen = []
})

function serve({ certificate, key }: Issued, ca = root): void {
  write('a.pem', certificate)
  write('a.key', key)
  write('ca.pem', ca.certificate)
}

async function opened(changes: Partial<UpstreamTlsConfig> = {}): Promise<UpstreamTls> {
  return UpstreamTls.open('main', {
    ca: { kind: 'pem', ...(await file('ca.pem')) },
    identity: { kind: 'pem', certificate: await file('a.pem'), key: await file('a.key') },
    minVersion: 'TLSv1.2',
    crl: [],
    dangerouslySkipVerification: false,
    ...changes,
  })
}

async function dial(tls: UpstreamTls, principal?: string): Promise<TLSSocket> {
  const { port } = server.address() as AddressInfo
  const socket = connect({ host: '127.0.0.1', port, ...tls.connectOptions('localhost', principal) })
  open.push(socket)
  const before = seen.length
  await once(socket, 'secureConnect')
  await until('the broker has seen it', () => seen.length > before)
  return socket
}

describe('TLS towards brokers', () => {
  test('C-01: new connections show the new certificate, open ones live on', async () => {
    const [first, second] = [newClient(), newClient()]
    serve(first)
    const tls = await opened()
    assert.deepEqual(
      tls.files.map(path => path.split('/').at(-1)),
      ['ca.pem', 'a.pem', 'a.key'],
    )
    const old = await dial(tls)
    serve(second)
    await tls.reload()
    await dial(tls)
    assert.equal(old.destroyed, false)
    assert.deepEqual(seen, [serialOf(first), serialOf(second)])
  })

  test('C-02: all that is wrong with the new files is told, and the old ones are used', async () => {
    const first = newClient()
    serve(first)
    const tls = await opened()
    write('a.key', newClient().key)
    write('ca.pem', 'nothing')
    await assert.rejects(tls.reload(), (error: Error) => {
      assert.match(error.message, /upstream main: .*a\.key: not the private key/)
      assert.match(error.message, /upstream main: .*ca\.pem: no PEM block in it/)
      return true
    })
    rmSync(join(folder, 'a.pem'))
    await assert.rejects(tls.reload(), /upstream main: cannot read .*a\.pem: there is no such file/)
    await dial(tls)
    assert.deepEqual(seen, [serialOf(first)])
  })

  test('C-05: what cannot be used keeps nothing else from coming into force', async () => {
    const first = newClient()
    serve(first)
    const tls = await opened()
    write('a.key', newClient().key)
    write('ca.pem', otherRoot.certificate)
    await assert.rejects(tls.reload(), /a\.key: not the private key/)
    await assert.rejects(dial(tls), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })
    const second = newClient()
    serve(second)
    write('ca.pem', 'nothing')
    await assert.rejects(tls.reload(), /no PEM block/)
    assert.equal(tls.current.identity?.certificate.serialNumber, new X509Certificate(second.certificate).serialNumber)
  })

  test('C-09: new trust counts at the next connection', async () => {
    serve(newClient())
    const tls = await opened()
    await dial(tls)
    write('ca.pem', otherRoot.certificate)
    await tls.reload()
    await assert.rejects(dial(tls), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })
  })
})

describe('a certificate of its own for each principal, towards brokers', () => {
  const map = (principals: Readonly<Record<string, object>>): void => write('map.json', JSON.stringify(principals))
  const place = (name: string, { certificate, key }: Issued): object => {
    write(`${name}.pem`, certificate)
    write(`${name}.key`, key)
    return { certificate: `${name}.pem`, key: `${name}.key` }
  }
  const namesOf = (paths: readonly string[]) => paths.map(path => path.split('/').at(-1))

  test('D-15: brokers see the principal’s, and the gateway’s own where it asks for itself; who has none is not dialled', async () => {
    const [own, alice, bob] = [newClient(), newClient(), newClient()]
    serve(own)
    write('bob.p12', '')
    writeFileSync(
      join(folder, 'bob.p12'),
      writeKeyStore({ alias: 'bob', key: bob.key, chain: [bob.certificate] }, 'changeit'),
      { mode: 0o600 },
    )
    map({ 'User:alice': place('alice', alice), 'User:bob': { pkcs12: 'bob.p12', password: 'changeit' } })
    const tls = await opened({ certificates: await file('map.json') })
    for (const principal of ['User:alice', undefined, 'User:bob', 'User:alice']) await dial(tls, principal)
    assert.deepEqual(seen, [alice, own, bob, alice].map(serialOf))
    for (const principal of ['User:carol', 'User:Alice', 'alice', '__proto__', 'User:ANONYMOUS']) {
      assert.throws(() => tls.checkPrincipal(principal), { code: 'VKITM_UPSTREAM_NO_CREDENTIAL' }, principal)
      assert.throws(() => tls.connectOptions('localhost', principal), { code: 'VKITM_UPSTREAM_NO_CREDENTIAL' })
    }
    assert.deepEqual(namesOf(tls.files).slice(-3), ['alice.pem', 'alice.key', 'bob.p12'])
    assert.deepEqual(
      tls.expiries.filter(({ kind }) => kind === 'certificate').map(({ what }) => what),
      ['upstream main', 'certificates of upstream main'],
    )
  })

  test('C-01: new files of one principal count at its next connection, and open ones live on', async () => {
    const [first, second] = [newClient(), newClient()]
    serve(newClient())
    map({ 'User:alice': place('alice', first) })
    const tls = await opened({ certificates: await file('map.json') })
    const old = await dial(tls, 'User:alice')
    place('alice', second)
    await tls.reload()
    await dial(tls, 'User:alice')
    assert.equal(old.destroyed, false)
    map({})
    await tls.reload()
    assert.throws(() => tls.checkPrincipal('User:alice'), { code: 'VKITM_UPSTREAM_NO_CREDENTIAL' })
    assert.equal(old.destroyed, false)
    assert.deepEqual(seen, [serialOf(first), serialOf(second)])
  })

  test('C-02: one bad entry changes nothing, all that is wrong is told without a secret, and what is missing is waited for', async () => {
    const [alice, bob] = [newClient(), newClient()]
    serve(newClient())
    map({ 'User:alice': place('alice', alice) })
    const tls = await opened({ certificates: await file('map.json') })
    place('alice', newClient())
    map({
      'User:alice': { certificate: 'alice.pem', key: 'a.key' },
      'User:bob': { certificate: 'later.pem', key: 'later.key', keyPassword: 'canary-password' },
    })
    await assert.rejects(tls.reload(), (error: Error) => {
      assert.match(error.message, /map\.json: "User:alice": .*a\.key: not the private key/)
      assert.match(error.message, /map\.json: "User:bob": cannot read .*later\.pem: there is no such file/)
      assert.ok(!error.message.includes('canary'))
      return true
    })
    assert.ok(namesOf(tls.files).includes('later.pem'))
    await dial(tls, 'User:alice')
    assert.deepEqual(seen, [serialOf(alice)])
    for (const text of [
      '{"User:alice": {"password": "canary',
      '[]',
      '{"alice": {}}',
      '{"User:a": {"key": "canary"}}',
    ]) {
      write('map.json', text)
      await assert.rejects(tls.reload(), (error: Error) => !error.message.includes('canary'), text)
    }
    map({ 'User:alice': { certificate: 'alice.pem', key: 'alice.key' }, 'User:bob': place('later', bob) })
    await tls.reload()
    await dial(tls, 'User:bob')
    assert.deepEqual(seen, [serialOf(alice), serialOf(bob)])
  })

  test('C-14: a key that others can read is refused with the rest', async () => {
    serve(newClient())
    map({ 'User:alice': place('alice', newClient()) })
    const tls = await opened({ certificates: await file('map.json') })
    chmodSync(join(folder, 'alice.key'), 0o644)
    await assert.rejects(tls.reload(), /"User:alice": .*alice\.key: other users can read the private key/)
    rmSync(join(folder, 'alice.key'))
  })
})
