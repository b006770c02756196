import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { connect, createServer, type Server, type TLSSocket } from 'node:tls'
import { readWithAccess } from '../../src/config/bounded-read.ts'
import { UpstreamTls } from '../../src/gateway/upstream-tls.ts'
import { createRoot, type Issued, issueClient, issueServer } from '../../src/tls/certificate-authority.ts'
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

async function opened(): Promise<UpstreamTls> {
  return new UpstreamTls('main', {
    ca: { kind: 'pem', ...(await file('ca.pem')) },
    identity: { kind: 'pem', certificate: await file('a.pem'), key: await file('a.key') },
    minVersion: 'TLSv1.2',
    crl: [],
    dangerouslySkipVerification: false,
  })
}

async function dial(tls: UpstreamTls): Promise<TLSSocket> {
  const { port } = server.address() as AddressInfo
  const socket = connect({ host: '127.0.0.1', port, ...tls.current.connectOptions('localhost') })
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

  test('C-09: new trust counts at the next connection', async () => {
    serve(newClient())
    const tls = await opened()
    await dial(tls)
    write('ca.pem', otherRoot.certificate)
    await tls.reload()
    await assert.rejects(dial(tls), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })
  })
})
