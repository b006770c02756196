import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { createServer, type Server, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { UpstreamError } from '../../src/errors.ts'
import { createRoot, issueServer } from '../../src/tls/certificate-authority.ts'
import { createDialer, type DialerOptions, type HostAndPort } from '../../src/upstream/dialer.ts'
import { freePorts } from '../support/free-ports.ts'
import { within } from '../support/until.ts'

const now = new Date()
const root = createRoot({ subject: 'CN=root', now })
const stranger = createRoot({ subject: 'CN=stranger', now })
const identity = issueServer(root, { names: ['broker.test'], now })

const everything = { allows: () => true }
const resolvesTo =
  (...addresses: string[]) =>
  async (): Promise<LookupAddress[]> =>
    addresses.map(address => ({ address, family: 4 }))

function dialer(options: Partial<DialerOptions>) {
  return createDialer({
    rules: everything,
    resolve: resolvesTo('127.0.0.1'),
    connectTimeoutMs: 2_000,
    ...options,
  })
}

async function failure(promise: Promise<Socket>): Promise<UpstreamError> {
  try {
    const socket = await within('the dial ends', promise)
    socket.destroy()
  } catch (error) {
    assert.ok(error instanceof UpstreamError, String(error))
    return error
  }
  assert.fail('connected')
}

async function listening(server: Server): Promise<HostAndPort> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { host: 'broker.test', port: (server.address() as { port: number }).port }
}

describe('the dialer', () => {
  const sockets = new Set<Socket>()
  const track = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  }
  const plain = createServer(track)
  const silent = createServer(track)
  const secure = createTlsServer({ key: identity.key, cert: identity.chain.join('') }, track)
  const closing = createServer(socket => socket.destroy())
  let plainAt: HostAndPort
  let silentAt: HostAndPort
  let secureAt: HostAndPort
  let closingAt: HostAndPort
  before(async () => {
    plainAt = await listening(plain)
    silentAt = await listening(silent)
    secureAt = await listening(secure)
    closingAt = await listening(closing)
  })
  after(() => {
    for (const socket of sockets) socket.destroy()
    for (const server of [plain, silent, secure, closing]) server.close()
  })

  test('connects over TCP with every resolved address tried in turn', async () => {
    const [closed] = await freePorts(1)
    // 127.0.0.2 refuses: the server listens on 127.0.0.1 alone.
    const dial = dialer({ resolve: resolvesTo('127.0.0.2', '127.0.0.1') })
    const socket = await dial(plainAt)
    assert.equal(socket.remoteAddress, '127.0.0.1')
    socket.destroy()
    const error = await failure(dial({ host: 'broker.test', port: closed! }))
    assert.deepEqual([error.code, error.retriable], ['VKITM_UPSTREAM_UNREACHABLE', true])
    assert.match(error.message, new RegExp(`broker.test:${closed} cannot be reached`))
  })

  test('a host that is an address is not resolved', async () => {
    const dial = dialer({ resolve: () => assert.fail('resolved') })
    const socket = await dial({ host: '127.0.0.1', port: plainAt.port })
    socket.destroy()
  })

  test('a name that does not resolve is a retriable failure that says so', async () => {
    const error = await failure(dialer({ resolve: () => Promise.reject(new Error('ENOTFOUND')) })(plainAt))
    assert.deepEqual([error.code, error.retriable], ['VKITM_UPSTREAM_UNRESOLVED', true])
  })

  test('a name that nobody answers for fails at the deadline', async () => {
    const error = await failure(dialer({ resolve: () => new Promise(() => undefined), connectTimeoutMs: 100 })(plainAt))
    assert.deepEqual([error.code, error.retriable], ['VKITM_UPSTREAM_UNRESOLVED', true])
  })

  test('A-24: every address is judged after it was resolved, and only allowed ones are dialled', async () => {
    const judged: string[] = []
    const rules = { allows: (host: string, address: string) => judged.push(`${host} ${address}`) > 1 }
    const socket = await dialer({ rules, resolve: resolvesTo('169.254.169.254', '127.0.0.1') })(plainAt)
    assert.equal(socket.remoteAddress, '127.0.0.1')
    socket.destroy()
    assert.deepEqual(judged, ['broker.test 169.254.169.254', 'broker.test 127.0.0.1'])
    const error = await failure(dialer({ rules: { allows: () => false } })(plainAt))
    assert.deepEqual([error.code, error.retriable], ['VKITM_UPSTREAM_NOT_ALLOWED', false])
    assert.match(error.message, /upstream\.allow/)
  })

  test('a peer that accepts and never speaks TLS fails at the deadline, and its socket is closed', async () => {
    const accepted = new Promise<Socket>(resolve => silent.once('connection', resolve))
    const dial = dialer({
      connectTimeoutMs: 200,
      tlsOptions: () => ({ ca: root.certificate, servername: 'broker.test' }),
    })
    const error = await failure(dial(silentAt))
    assert.deepEqual([error.code, error.retriable], ['VKITM_UPSTREAM_UNREACHABLE', true])
    assert.match(error.message, /within 200 ms/)
    const socket = await accepted
    socket.resume()
    if (!socket.closed) await within('the socket closes', new Promise(resolve => socket.once('close', resolve)))
  })

  test('connects over TLS to a verified peer', async () => {
    const dial = dialer({ tlsOptions: host => ({ ca: root.certificate, servername: host }) })
    const socket = await dial(secureAt)
    assert.equal((socket as Socket & { authorized: boolean }).authorized, true)
    socket.destroy()
  })

  for (const [what, options] of [
    ['an unknown CA', { ca: stranger.certificate, servername: 'broker.test' }],
    ['another host name', { ca: root.certificate, servername: 'other.test' }],
  ] as const) {
    test(`C-09: a peer with a certificate of ${what} is not trusted, and hears no byte`, async () => {
      let heard = 0
      secure.once('secureConnection', socket => socket.on('data', chunk => (heard += chunk.length)))
      const error = await failure(dialer({ tlsOptions: () => options })(secureAt))
      assert.deepEqual([error.code, error.retriable], ['VKITM_UPSTREAM_UNTRUSTED', false])
      await delay(20)
      assert.equal(heard, 0)
    })
  }

  test('a peer that speaks plaintext where TLS is expected is unreachable, not untrusted', async () => {
    const speaking = createServer(socket => {
      track(socket)
      socket.write('no TLS here, sorry')
    })
    const error = await failure(dialer({ tlsOptions: () => ({ ca: root.certificate }) })(await listening(speaking)))
    assert.equal(error.code, 'VKITM_UPSTREAM_UNREACHABLE')
    speaking.close()
  })

  test('a peer that does not like our certificate is not one whose certificate we distrust', async () => {
    const demanding = createTlsServer(
      {
        key: identity.key,
        cert: identity.chain.join(''),
        ca: stranger.certificate,
        requestCert: true,
        rejectUnauthorized: true,
        maxVersion: 'TLSv1.2',
      },
      track,
    )
    demanding.on('tlsClientError', () => undefined)
    const tlsOptions = () => ({
      ca: root.certificate,
      servername: 'broker.test',
      key: identity.key,
      cert: identity.chain.join(''),
    })
    const error = await failure(dialer({ tlsOptions })(await listening(demanding)))
    assert.notEqual(error.code, 'VKITM_UPSTREAM_UNTRUSTED')
    demanding.close()
  })

  test('a peer that closes during the handshake is unreachable, and nothing is thrown behind it', async () => {
    const error = await failure(dialer({ tlsOptions: () => ({ ca: root.certificate }) })(closingAt))
    assert.equal(error.code, 'VKITM_UPSTREAM_UNREACHABLE')
    await delay(20)
  })
})
