/** Clients that log in, or should not get in, at a running gateway. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ListenerSaslConfig } from '../../src/config/config.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { apiVersionsRequestDefaults } from '../../src/protocol/generated/api-versions-request.ts'
import { listGroupsRequestDefaults } from '../../src/protocol/generated/list-groups-request.ts'
import { listGroupsResponseDefaults } from '../../src/protocol/generated/list-groups-response.ts'
import { PlainClient } from '../../src/sasl/plain.ts'
import { usersOf } from '../sasl/scram-peers.ts'
import { type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import { framed } from '../support/raw-client.ts'
import { authenticate, logIn, scram } from '../support/sasl.ts'
import { startTestGateway, type TestGateway } from '../support/test-gateway.ts'
import { until } from '../support/until.ts'

const password = 'correct-horse-battery'
const users = await usersOf({ alice: password, bob: password, __proto: 'x' })
const versions = { ...apiVersionsRequestDefaults(), clientSoftwareName: 'test', clientSoftwareVersion: '1' }
const sasl: ListenerSaslConfig = {
  mechanisms: ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'],
  users: { path: 'users.json', content: Buffer.from(users.toText()) },
  sessionLifetime: 3_600_000,
}
const groups = listGroupsRequestDefaults()
/** Kafka lets nobody log in again within a second. */
const againMs = 1_050

describe('a listener with logins', () => {
  let broker: FakeBroker
  let gateway: TestGateway
  const start = (change: Partial<ListenerSaslConfig> = {}, reauthTimeout = 30_000) =>
    startTestGateway({
      upstream: { bootstrap: [broker.address] },
      listener: { sasl: { ...sasl, ...change } },
      limits: { reauthTimeout },
    })
  before(async () => {
    broker = await startFakeBroker()
    broker.answer(ApiKey.ListGroups, () => listGroupsResponseDefaults())
    gateway = await start()
  })
  beforeEach(() => {
    broker.seen.length = 0
    broker.receivedBytes = 0
  })
  after(async () => {
    await gateway.stop()
    await broker.stop()
  })

  test('lets in whoever logs in, by every mechanism, and forwards nothing of the login', async () => {
    for (const session of [
      scram('alice', password),
      scram('alice', password, 'SCRAM-SHA-512'),
      new PlainClient('alice', password),
    ]) {
      const client = await gateway.connect()
      const offered = await client.ask(ApiKey.ApiVersions, 3, versions)
      assert.ok(
        offered.apiKeys.some(({ apiKey, maxVersion }) => apiKey === ApiKey.SaslAuthenticate && maxVersion === 2),
      )
      assert.equal(broker.receivedBytes, 0)
      const answer = await logIn(client, session)
      assert.deepEqual([answer.errorCode, answer.sessionLifetimeMs], [0, 3_600_000n])
      assert.equal(broker.receivedBytes, 0)
      await client.ask(ApiKey.ListGroups, 4, groups)
      assert.deepEqual(
        broker.seen.map(({ header }) => header.apiKey),
        [ApiKey.ListGroups],
      )
      broker.seen.length = 0
      broker.receivedBytes = 0
      await client.close()
    }
  })

  test('D-15: no broker gets a client’s password, nor anything of its login', async () => {
    const client = await gateway.connect()
    await logIn(client, new PlainClient('alice', password))
    await client.ask(ApiKey.ListGroups, 4, groups)
    const all = Buffer.concat([...broker.seen, ...broker.ownSeen].map(({ bytes }) => bytes))
    assert.ok(!all.includes(password))
    assert.ok(![...broker.seen, ...broker.ownSeen].some(({ header }) => [17, 36].includes(header.apiKey)))
    assert.ok(!gateway.log.texts.join('').includes(password))
    await client.close()
  })

  test('takes the raw tokens of SaslHandshake 0', async () => {
    const client = await gateway.connect()
    await client.ask(ApiKey.SaslHandshake, 0, { mechanism: 'PLAIN' })
    client.socket.write(framed(Buffer.from(`\0alice\0${password}`)))
    assert.deepEqual(await client.frameAt(1), Buffer.alloc(4))
    const other = await gateway.connect()
    await other.ask(ApiKey.SaslHandshake, 0, { mechanism: 'PLAIN' })
    other.socket.write(framed(Buffer.from('\0alice\0wrong')))
    await other.expectClosed()
    assert.equal(other.frames.length, 1)
    client.socket.write(client.request(ApiKey.ListGroups, 4, groups))
    await client.frameAt(2)
    await client.close()
  })

  test('A-14: any other request before the login closes the connection and reaches no broker', async () => {
    for (const key of [
      ApiKey.Metadata,
      ApiKey.Produce,
      ApiKey.Fetch,
      ApiKey.ListGroups,
      ApiKey.Vote,
      9_999 as ApiKey,
    ]) {
      const client = await gateway.connect()
      const header = Buffer.alloc(10)
      header.writeInt16BE(key, 0)
      header.writeInt16BE(key === ApiKey.ListGroups ? 0 : 3, 2)
      header.writeInt16BE(-1, 8)
      client.socket.write(framed(header))
      await client.expectClosed()
      assert.equal(client.receivedBytes, 0, String(key))
    }
    const halfway = await gateway.connect()
    await halfway.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
    halfway.send(ApiKey.ListGroups, 4, groups)
    await halfway.expectClosed()
    const early = await gateway.connect()
    await early.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
    early.socket.write(
      Buffer.concat([
        early.request(ApiKey.SaslAuthenticate, 2, { authBytes: Buffer.from(`\0alice\0${password}`) }, 1),
        early.request(ApiKey.ListGroups, 4, groups, 2),
      ]),
    )
    await early.expectClosed()
    assert.equal(broker.receivedBytes, 0)
  })

  test('A-15: ten requests before the login, not eleven, and none over 64 KiB', async () => {
    const client = await gateway.connect()
    for (let turn = 0; turn < 10; turn++) await client.ask(ApiKey.ApiVersions, 3, versions)
    client.send(ApiKey.ApiVersions, 3, versions)
    await client.expectClosed()
    assert.equal(client.frames.length, 10)
    const large = await gateway.connect()
    large.socket.write(framed(Buffer.alloc(64 * 1024 + 1)).subarray(0, 4))
    await large.expectClosed()
    assert.equal(broker.receivedBytes, 0)
  })

  test('A-16: an ApiVersions of an unknown version is answered before the login, too', async () => {
    const client = await gateway.connect()
    const header = Buffer.alloc(11)
    header.writeInt16BE(ApiKey.ApiVersions, 0)
    header.writeInt16BE(99, 2)
    header.writeInt16BE(-1, 8)
    client.socket.write(framed(header))
    assert.equal((await client.frameAt(0)).readInt16BE(8), 35)
    await client.close()
  })

  test('D-07: a failure is answered after a second, a fifth more or less, with Kafka’s code and text, and closes', async () => {
    const attempts = [new PlainClient('alice', 'wrong'), scram('alice', 'wrong'), scram('nobody', 'wrong')]
    await Promise.all(
      attempts.map(async session => {
        const client = await gateway.connect()
        const begin = performance.now()
        const answer = await logIn(client, session)
        const tookMs = performance.now() - begin
        assert.equal(answer.errorCode, 58)
        const text =
          session.mechanism === 'PLAIN'
            ? 'Authentication failed: Invalid username or password'
            : 'Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256'
        assert.equal(answer.errorMessage, text)
        assert.ok(tookMs >= 790 && tookMs < 3_000, `${tookMs}`)
        await client.expectClosed()
      }),
    )
    assert.equal(broker.receivedBytes, 0)
  })

  test('D-07: of one address at most 100 wait at a time, counted as connections; more are closed without a word', async () => {
    const clients = await Promise.all(Array.from({ length: 110 }, () => gateway.connect()))
    await Promise.all(clients.map(client => client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })))
    // Malformed, so that nothing has to be hashed before it fails.
    const answers = clients.map(client => client.ask(ApiKey.SaslAuthenticate, 2, { authBytes: Buffer.from('\0') }))
    const settled = await Promise.allSettled(answers)
    assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 100)
    for (const client of clients) await client.expectClosed()
  })

  test('D-02 D-07: whoever sends passwords by the hundred waits for itself', async () => {
    const begins = async (localAddress: string) => {
      const client = await gateway.connect({ localAddress })
      await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
      return client
    }
    const flood = await Promise.all(Array.from({ length: 150 }, () => begins('127.0.0.3')))
    const alice = await begins('127.0.0.1')
    const wrong = { authBytes: await new PlainClient('mallory', 'guess').first() }
    const failures = () => gateway.metric('vkitm_errors_total', { cause: 'login' })
    const before = await failures()
    for (const client of flood) client.send(ApiKey.SaslAuthenticate, 2, wrong)
    await until('they are being looked at', async () => (await failures()) > before)
    const judged = await failures()
    assert.equal((await authenticate(alice, new PlainClient('alice', password))).errorCode, 0)
    assert.ok((await failures()) - judged < 20, 'not after all of the others')
    await Promise.all(flood.map(client => client.closed))
    assert.equal(await failures(), before + flood.length)
    await alice.close()
  })

  test('whoever has logged in may have nothing to ask for', async () => {
    const patient = await startTestGateway({
      upstream: { bootstrap: [broker.address] },
      listener: { sasl },
      limits: { firstFrameTimeout: 300 },
    })
    try {
      const client = await patient.connect()
      await logIn(client, scram('alice', password))
      await sleep(1_000)
      await client.ask(ApiKey.ListGroups, 4, groups)
      await client.close()
    } finally {
      await patient.stop()
    }
  })

  test('D-09: a mechanism that is not enabled is answered with those that are, and closed', async () => {
    for (const mechanism of ['GSSAPI', 'OAUTHBEARER', '', 'plain', '__proto__']) {
      const client = await gateway.connect()
      const answer = await client.ask(ApiKey.SaslHandshake, 1, { mechanism })
      assert.deepEqual(answer, { errorCode: 33, mechanisms: ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'] })
      await client.expectClosed()
    }
  })

  test('D-14: nobody becomes ANONYMOUS by failing, or by that name', async () => {
    const client = await gateway.connect()
    await logIn(client, new PlainClient('ANONYMOUS', 'x'))
    client.send(ApiKey.ListGroups, 4, groups)
    await client.expectClosed()
    const skipped = await gateway.connect()
    skipped.send(ApiKey.SaslAuthenticate, 2, { authBytes: Buffer.from(`\0alice\0${password}`) })
    skipped.send(ApiKey.ListGroups, 4, groups)
    await skipped.expectClosed()
    assert.equal(broker.receivedBytes, 0)
  })

  test('B-26: who logs in again as somebody else, or by another mechanism, is refused and closed', async () => {
    for (const [name, mechanism, code] of [
      ['bob', 'SCRAM-SHA-256', 58],
      ['alice', 'SCRAM-SHA-512', 33],
    ] as const) {
      const client = await gateway.connect()
      await logIn(client, scram('alice', password))
      await client.ask(ApiKey.ListGroups, 4, groups)
      await sleep(againMs)
      broker.receivedBytes = 0
      const handshake = await client.ask(ApiKey.SaslHandshake, 1, { mechanism })
      if (code === 33) assert.deepEqual(handshake, { errorCode: 33, mechanisms: ['SCRAM-SHA-256'] })
      else {
        const answer = await authenticate(client, scram(name, password, mechanism))
        assert.deepEqual(
          [answer.errorCode, answer.errorMessage],
          [58, 'Cannot change principals during re-authentication'],
        )
      }
      await client.expectClosed()
      assert.equal(broker.receivedBytes, 0)
    }
  })

  test('B-26: in the middle of a login nothing else is forwarded', async () => {
    const client = await gateway.connect()
    await logIn(client, scram('alice', password))
    await sleep(againMs)
    await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'SCRAM-SHA-256' })
    client.send(ApiKey.ListGroups, 4, groups)
    await client.expectClosed()
    assert.equal(broker.receivedBytes, 0)
  })

  test('B-27: nothing is forwarded once a login ended and its grace is over, unless the client logged in again', async () => {
    const strict = await start({ sessionLifetime: 1_200 }, 300)
    try {
      const [idle, renewing] = [await strict.connect(), await strict.connect()]
      for (const client of [idle, renewing]) {
        assert.equal((await logIn(client, scram('alice', password))).sessionLifetimeMs, 1_200n)
        await client.ask(ApiKey.ListGroups, 4, groups)
      }
      await sleep(againMs)
      assert.equal((await logIn(renewing, scram('alice', password))).errorCode, 0)
      await sleep(800)
      broker.seen.length = 0
      await renewing.ask(ApiKey.ListGroups, 4, groups)
      assert.equal(broker.seen.length, 1)
      idle.send(ApiKey.ListGroups, 4, groups)
      await idle.expectClosed()
      assert.equal(broker.seen.length, 1)
      await renewing.close()
    } finally {
      await strict.stop()
    }
  })

  test('what acts on credentials that brokers keep is not served', async () => {
    for (const key of [38, 39, 40, 41, 50, 51]) {
      const client = await gateway.connect()
      const offered = await client.ask(ApiKey.ApiVersions, 3, versions)
      assert.ok(!offered.apiKeys.some(({ apiKey }) => apiKey === key))
      await client.close()
    }
  })
})
