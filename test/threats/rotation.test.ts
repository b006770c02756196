/** Certificates and lists that change while clients are connected: a gateway on real files, attacked by whoever writes them. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { chmodSync, truncateSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import { PlainClient } from '../../src/sasl/plain.ts'
import { createRoot, type Issued, issueClient } from '../../src/tls/certificate-authority.ts'
import { usersOf } from '../sasl/scram-peers.ts'
import type { RawClient } from '../support/raw-client.ts'
import { authenticate } from '../support/sasl.ts'
import { until } from '../support/until.ts'
import { asClient, issuing, Live, listOf, newClient, newServer, now, root } from './live-certificates.ts'

const metadata = { ...metadataRequestDefaults(), topics: [] }
const trusting = { ca: root.certificate, servername: 'localhost' }
const serialOf = ({ certificate }: Issued): string => new X509Certificate(certificate).serialNumber
const dayMs = 86_400_000

let live: Live
beforeEach(() => {
  live = new Live()
})
afterEach(() => live.stop())

const connected = (identity: object = {}): Promise<RawClient> =>
  live.gateway.connect({ tls: { ...trusting, ...identity } })
const isServed = async (client: RawClient): Promise<boolean> =>
  client.ask(ApiKey.Metadata, 12, metadata).then(
    () => true,
    () => false,
  )

/** Whether a new client with `identity` gets an answer. */
async function mayCome(identity: Issued): Promise<boolean> {
  const client = await connected(asClient(identity)).catch(() => undefined)
  const served = client !== undefined && (await isServed(client))
  await client?.close()
  return served
}

async function servedSerial(): Promise<string | undefined> {
  const { socket, serial } = await live.shake()
  socket.destroy()
  return serial
}

async function untilTrue(what: string, holds: () => Promise<boolean>, timeoutMs: number): Promise<number> {
  const start = performance.now()
  while (!(await holds())) {
    if (performance.now() - start > timeoutMs) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return performance.now() - start
}

const failed = (): Promise<number> => live.gateway.metric('vkitm_reload_failed_total', { what: 'listener clients' })
const health = async (): Promise<{ status: string; reasons: string[] }> => {
  const { status, text } = await live.gateway.page('/healthz')
  assert.equal(status, 200)
  return JSON.parse(text)
}

describe('a listener whose certificate is replaced', () => {
  test('C-01: shows the new one within two seconds, and no open connection notices', async () => {
    const [first, second] = [newServer(), newServer()]
    live.serve(first)
    await live.start()
    const clients = await Promise.all(Array.from({ length: 50 }, () => connected()))
    assert.equal(await servedSerial(), serialOf(first))
    live.serve(second)
    await untilTrue('the new certificate', async () => (await servedSerial()) === serialOf(second), 2_000)
    assert.deepEqual(
      await Promise.all(clients.map(isServed)),
      clients.map(() => true),
    )
    assert.equal(clients.filter(client => client.isClosed).length, 0)
    for (const client of clients) await client.close()
  })

  test('C-01: twenty rotations under load drop no connection and fail no handshake', async () => {
    live.serve(newServer())
    await live.start()
    const open = await Promise.all(Array.from({ length: 20 }, () => connected()))
    let [isOver, handshakes, failures, answers] = [false, 0, 0, 0]
    const shaking = (async () => {
      while (!isOver) {
        const { socket, error } = await live.shake()
        handshakes++
        if (error !== undefined) failures++
        socket.destroy()
      }
    })()
    const asking = open.map(async client => {
      while (!isOver) {
        if (!(await isServed(client))) failures++
        answers++
      }
    })
    for (let round = 0; round < 20; round++) {
      const next = newServer()
      live.serve(next)
      await live.gateway.gateway.reload()
      assert.equal(await servedSerial(), serialOf(next))
    }
    isOver = true
    await Promise.all([shaking, ...asking])
    assert.equal(failures, 0)
    assert.ok(handshakes > 5 && answers > 100, `${handshakes} handshakes, ${answers} answers`)
    assert.equal(open.filter(client => client.isClosed).length, 0)
    for (const client of open) await client.close()
  })

  const bad: readonly (readonly [string, RegExp, (good: Issued) => void])[] = [
    [
      'cut in the middle',
      /cut short or damaged/,
      ({ chain }) => live.write('server.pem', chain.join('').slice(0, 700)),
    ],
    ['empty', /no PEM block/, () => live.write('server.pem', '')],
    ['gone', /no such file/, () => unlinkSync(join(live.folder, 'server.pem'))],
    ['a gigabyte', /larger than 16 MiB/, () => truncateSync(join(live.folder, 'server.pem'), 1024 ** 3)],
    ["another key's", /not the private key/, () => live.write('server.key', newServer().key)],
    ['expired', /expired on/, () => live.serve(newServer({ now: new Date(now.getTime() - 5 * dayMs), days: 1 }))],
    ['not valid yet', /is not valid before/, () => live.serve(newServer({ now: new Date(now.getTime() + 5 * dayMs) }))],
    ['for another host', /does not name 127\.0\.0\.1/, () => live.serve(newServer({ names: ['elsewhere.example'] }))],
    [
      'without those that vouch for it',
      /certificates that vouch for it are missing/,
      () => {
        const next = newServer()
        live.serve({ ...next, chain: [next.certificate] })
      },
    ],
    ["a client's", /not issued for use as a server/, () => live.serve(newClient('CN=x'))],
  ]
  for (const [what, why, spoil] of bad) {
    test(`C-02: one that is ${what} changes nothing and is loud, until it is good`, async () => {
      const good = newServer()
      live.serve(good)
      await live.start()
      const client = await connected()
      spoil(good)
      await untilTrue('degraded', async () => (await health()).reasons.some(reason => why.test(reason)), 5_000)
      assert.equal((await health()).status, 'degraded')
      assert.ok((await failed()) >= 1)
      assert.equal(await servedSerial(), serialOf(good))
      assert.equal(await isServed(client), true)
      const lines = () => live.gateway.log.lines('reload failed: what was in force stays in force')
      await until('a log line', () => lines().length > 0)
      const [line] = lines()
      assert.equal(line?.details?.what, 'listener clients')
      const next = newServer()
      live.serve(next)
      await untilTrue('well again', async () => (await health()).status === 'ok', 5_000)
      assert.equal(await servedSerial(), serialOf(next))
      await client.close()
    })
  }

  test('C-14: one whose key others can read changes nothing', async () => {
    const good = newServer()
    live.serve(good)
    await live.start()
    const next = newServer()
    live.serve(next)
    chmodSync(join(live.folder, 'server.key'), 0o644)
    await assert.rejects(live.gateway.gateway.reload(), /other users can read the private key \(mode 644\): chmod 600/)
    assert.equal(await servedSerial(), serialOf(good))
    chmodSync(join(live.folder, 'server.key'), 0o600)
    await live.gateway.gateway.reload()
    assert.equal(await servedSerial(), serialOf(next))
  })
})

describe('a client whose certificate is revoked', () => {
  const alice = newClient('CN=alice')
  const bob = newClient('CN=bob')
  const revoke = ({ certificate }: Issued) => ({
    serial: new X509Certificate(certificate).serialNumber,
    at: new Date(),
  })

  for (const clientAuth of ['require', 'request'] as const) {
    test(`C-05: cannot come within 5 s of the list's change, and its open connection ends (${clientAuth})`, async () => {
      live.serve(newServer())
      await live.start(await live.mutual(clientAuth))
      const [hers, his] = [await connected(asClient(alice)), await connected(asClient(bob))]
      assert.deepEqual([await isServed(hers), await isServed(his)], [true, true])
      live.write('issuing.crl', listOf(issuing, [revoke(alice)]))
      await untilTrue('alice is refused', async () => !(await mayCome(alice)), 5_000)
      await hers.expectClosed(5_000)
      assert.equal(await isServed(his), true)
      assert.equal(await mayCome(bob), true)
      const [line] = live.gateway.log.lines('the client certificate was revoked: its connection is closed')
      assert.equal(line?.principal, 'User:CN=alice')
      assert.ok((await live.gateway.metric('vkitm_errors_total', { cause: 'revoked' })) >= 1)
      await his.close()
    })
  }

  test('C-05: is kept out whatever is wrong with the listener’s own certificate, and the other way round', async () => {
    const first = newServer()
    live.serve(first)
    await live.start(await live.mutual())
    const hers = await connected(asClient(alice))
    live.write('server.pem', newServer().chain.join(''))
    live.write('issuing.crl', listOf(issuing, [revoke(alice)]))
    await hers.expectClosed(5_000)
    await untilTrue('alice is refused', async () => !(await mayCome(alice)), 5_000)
    assert.deepEqual([await mayCome(bob), await servedSerial()], [true, serialOf(first)])
    assert.equal((await health()).status, 'degraded')
    const second = newServer()
    live.write('issuing.crl', 'no list')
    live.serve(second)
    await untilTrue('the new one is served', async () => (await servedSerial()) === serialOf(second), 5_000)
    assert.equal(await mayCome(alice), false)
  })

  test('C-05: during its login is not let in by the login', async () => {
    live.serve(newServer())
    live.write('users.json', (await usersOf({ alice: 'her-password' })).toText())
    const sasl = { mechanisms: ['PLAIN'], users: await live.file('users.json') } as const
    await live.start(await live.mutual(), { sasl })
    const begins = async () => {
      const client = await connected(asClient(alice))
      await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
      return client
    }
    const ends = (client: RawClient) => authenticate(client, new PlainClient('alice', 'her-password'))
    const before = await begins()
    await ends(before)
    assert.equal(await isServed(before), true)
    await before.close()
    const during = await begins()
    live.write('issuing.crl', listOf(issuing, [revoke(alice)]))
    await live.gateway.gateway.reload()
    const heard = live.broker.receivedBytes
    await ends(during).catch(() => undefined)
    await during.expectClosed()
    assert.equal(live.broker.receivedBytes, heard)
    const [line] = live.gateway.log.lines('the client certificate was revoked: its connection is closed')
    assert.equal(line?.principal, 'User:alice')
  })

  test('C-05: a revoked issuing CA ends the connections below it', async () => {
    live.serve(newServer())
    await live.start(await live.mutual())
    const hers = await connected(asClient(alice))
    assert.equal(await isServed(hers), true)
    live.write('root.crl', listOf(root, [revoke(issuing)]))
    await hers.expectClosed(5_000)
    assert.equal(await mayCome(alice), false)
  })

  test('C-05 C-11: neither opens nor resumes a session that was sealed before', async () => {
    live.serve(newServer())
    await live.start(await live.mutual())
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const options = { ...asClient(alice), maxVersion }
      const session = await sessionOf(options)
      const again = await live.shake({ ...options, session })
      assert.equal(again.isResumed, true, maxVersion)
      again.socket.destroy()
      live.write('issuing.crl', listOf(issuing, [revoke(alice)]))
      await live.gateway.gateway.reload()
      const client = await connected({ ...options, session }).catch(() => undefined)
      assert.equal(client !== undefined && (await isServed(client)), false, maxVersion)
      live.write('issuing.crl', listOf(issuing))
      await live.gateway.gateway.reload()
    }
  })

  test('C-05: a list that is over is refused, and one that runs out lets nobody in', async () => {
    live.serve(newServer())
    await live.start(await live.mutual())
    const past = { now: new Date(Date.now() - 3 * dayMs), days: 1 }
    live.write('issuing.crl', listOf(issuing, [], past))
    await assert.rejects(live.gateway.gateway.reload(), /the revocation list ended on .* get a newer one/)
    assert.equal(await mayCome(alice), true)
    // 300 ms are left of it when it comes into force.
    live.write('issuing.crl', listOf(issuing, [], { now: new Date(), days: 2_500 / dayMs }))
    await live.gateway.gateway.reload()
    await untilTrue('nobody gets in', async () => !(await mayCome(alice)), 6_000)
  })

  test('C-05: a list by somebody else than the CA is refused', async () => {
    live.serve(newServer())
    await live.start(await live.mutual())
    const impostor = createRoot({ subject: 'CN=Live Issuing', now })
    live.write('issuing.crl', listOf(impostor))
    await assert.rejects(live.gateway.gateway.reload(), /the revocation list is not signed by CN=Live Issuing/)
    unlinkSync(join(live.folder, 'issuing.crl'))
    await assert.rejects(live.gateway.gateway.reload(), /cannot read .*issuing\.crl: there is no such file/)
    assert.equal(await mayCome(alice), true)
  })
})

/** Of a client that came, was served, and left with a ticket. */
async function sessionOf(options: object): Promise<Buffer> {
  const client = await connected(options)
  let session: Buffer | undefined
  client.socket.on('session', ticket => {
    session = ticket
  })
  assert.equal(await isServed(client), true)
  // TLS 1.2 hands it out with the handshake.
  session ??= (client.socket as TLSSocket).getSession()
  await until('a ticket', () => session !== undefined)
  await client.close()
  return session!
}

describe("C-11: a session's ticket", () => {
  test('C-11: is good across a change of the certificate', async () => {
    live.serve(newServer())
    await live.start()
    const session = await sessionOf({})
    live.serve(newServer())
    await live.gateway.gateway.reload()
    const { socket, isResumed } = await live.shake({ session })
    socket.destroy()
    assert.equal(isResumed, true)
  })

  test('C-11: names the same principal when it is resumed, and none once the certificate has ended', async () => {
    live.serve(newServer())
    await live.start(await live.mutual())
    const brief = issueClient(issuing, { subject: 'CN=brief', now: new Date(), days: 2_500 / dayMs })
    const options = asClient(brief)
    const session = await sessionOf(options)
    const again = await connected({ ...options, session })
    assert.equal((again.socket as TLSSocket).isSessionReused(), true)
    assert.equal(await isServed(again), true)
    await again.close()
    await untilTrue(
      'refused',
      async () => {
        const client = await connected({ ...options, session }).catch(() => undefined)
        const served = client !== undefined && (await isServed(client))
        await client?.close()
        return !served
      },
      6_000,
    )
    const reasons = live.gateway.log.lines('client has no principal').map(({ err }) => err?.message)
    assert.ok(reasons.includes('the client certificate is not valid at this time'), String(reasons))
  })
})

describe('the name of a client certificate', () => {
  test('C-10: is the alternative name that the configuration asks for, also on a resumed session', async () => {
    live.serve(newServer())
    await live.start(await live.mutual(), {
      principal: { from: 'san:dns', rules: ['RULE:^orders\\.example$/orders/'] },
    })
    const service = newClient('CN=ignored', ['orders.example'])
    // Served, because the only rule there is matched.
    const session = await sessionOf(asClient(service))
    await sessionOf({ ...asClient(service), session })
    for (const bad of [
      newClient('CN=orders.example'),
      newClient('CN=x', ['orders.example', 'b.example']),
      newClient('CN=x', ['10.0.0.1']),
      newClient('CN=x', ['b.example']),
    ]) {
      assert.equal(await mayCome(bad), false)
    }
    const reasons = live.gateway.log.lines('client has no principal').map(({ err }) => err?.message)
    assert.deepEqual(reasons, [
      'the client certificate has no alternative name of kind dns',
      'the client certificate has 2 alternative names of kind dns: it needs one',
      'no principal rule matches the subject of the client certificate',
    ])
  })
})
