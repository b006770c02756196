import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { ClientTls } from '../../src/tls/client-context.ts'
import { loadServerTls } from '../../src/tls/server-context.ts'
import { SessionCache } from '../../src/tls/session-cache.ts'
import { identityOf, now, pem, root, server } from './authorities.ts'
import { closeAll, type Running, serve } from './connections.ts'

after(closeAll)

const tls = new ClientTls(
  { ca: pem('ca.pem', root.certificate), minVersion: 'TLSv1.2', crl: [], dangerouslySkipVerification: false },
  now,
)
const broker = (maxVersion: 'TLSv1.2' | 'TLSv1.3') =>
  serve({
    ...loadServerTls(
      { identity: identityOf(server), clientAuth: 'none', minVersion: 'TLSv1.2', crl: [] },
      { scope: 'broker', handshakeTimeoutMs: 2000, now },
    ).serverOptions,
    maxVersion,
  })

/** One connection as the gateway would make it; tells whether it was resumed, or why it failed. */
async function connected({ port }: Running, host: string, sessions: SessionCache): Promise<boolean | string> {
  const key = `${tls.verifiedName(host)}:${port}`
  const socket = connect({ ...tls.connectOptions(host, sessions.get(key)), socket: connectTcp(port, '127.0.0.1') })
  sessions.watch(key, socket)
  try {
    await once(socket, 'secureConnect')
    const resumed = socket.isSessionReused()
    // The ticket of TLS 1.3 comes with the first bytes after the handshake.
    await once(socket, 'data')
    await sleep(20)
    return resumed
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  } finally {
    socket.destroy()
  }
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${version}: the second connection to a broker resumes the first`, async () => {
    const [running, sessions] = [await broker(version), new SessionCache()]
    assert.deepEqual(
      [await connected(running, 'localhost', sessions), await connected(running, 'localhost', sessions)],
      [false, true],
    )
  })

  test(`${version}: a session of a broker with the wrong name is never kept, so it fails each time`, async () => {
    const [running, sessions] = [await broker(version), new SessionCache()]
    for (let attempt = 0; attempt < 2; attempt++) {
      assert.equal(await connected(running, 'other.example.com', sessions), 'ERR_TLS_CERT_ALTNAME_INVALID')
    }
    assert.equal(sessions.get(`other.example.com:${running.port}`), undefined)
  })

  test(`${version}: a session of one name does not open another`, async () => {
    const [running, sessions] = [await broker(version), new SessionCache()]
    await connected(running, 'localhost', sessions)
    assert.equal(await connected(running, 'other.example.com', sessions), 'ERR_TLS_CERT_ALTNAME_INVALID')
  })
}

test('the oldest of too many sessions is forgotten', async () => {
  const sessions = new SessionCache(1)
  const [one, two] = [await broker('TLSv1.3'), await broker('TLSv1.3')]
  await connected(one, 'localhost', sessions)
  await connected(two, 'localhost', sessions)
  assert.equal(await connected(two, 'localhost', sessions), true)
  assert.equal(await connected(one, 'localhost', sessions), false)
})
