/** Clients who log in at the brokers through the gateway, and what is passed on of that. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LimitsConfig, ListenerTlsConfig, UpstreamSaslConfig } from '../../src/config/config.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { apiVersionsRequestDefaults } from '../../src/protocol/generated/api-versions-request.ts'
import { listGroupsRequestDefaults } from '../../src/protocol/generated/list-groups-request.ts'
import { listGroupsResponseDefaults } from '../../src/protocol/generated/list-groups-response.ts'
import type { SaslClientSession } from '../../src/sasl/conversation.ts'
import { PlainClient } from '../../src/sasl/plain.ts'
import { Secret } from '../../src/telemetry/secret.ts'
import { usersOf } from '../sasl/scram-peers.ts'
import { type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import type { RawClient } from '../support/raw-client.ts'
import { askForLogins, authenticate, type BrokerLogins, logIn, scram } from '../support/sasl.ts'
import { startTestGateway, type TestGateway } from '../support/test-gateway.ts'
import { until, within } from '../support/until.ts'
import { newServer, root } from './live-certificates.ts'

const users = await usersOf({ gateway: 'own-gateway', alice: 'own-alice', bob: 'own-bob' })
const sasl: UpstreamSaslConfig = {
  mode: 'passthrough',
  mechanism: 'SCRAM-SHA-256',
  own: { kind: 'password', username: 'gateway', password: new Secret('own-gateway') },
}
const { chain, key } = newServer()
const tls: ListenerTlsConfig = {
  identity: {
    kind: 'pem',
    certificate: { path: 'gateway.pem', content: Buffer.from(chain.join('')) },
    key: { path: 'gateway.key', content: Buffer.from(key) },
  },
  clientAuth: 'none',
  minVersion: 'TLSv1.2',
  crl: [],
}
const trusting = { ca: root.certificate, servername: 'localhost' }
const groups = listGroupsRequestDefaults()
const versions = { ...apiVersionsRequestDefaults(), clientSoftwareName: 'test', clientSoftwareVersion: '1' }
const silence = () => new Promise<never>(() => undefined)
/** OAUTHBEARER's only message, with a token that nobody signed. */
const token = (sub: string) =>
  Buffer.from(`n,,\x01auth=Bearer e30.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.x\x01\x01`)

describe('a login that is passed on', () => {
  let broker: FakeBroker
  let logins: BrokerLogins
  let gateway: TestGateway | undefined
  const start = async (limits: Partial<LimitsConfig> = {}) => {
    gateway = await startTestGateway({ upstream: { bootstrap: [broker.address], sasl }, limits, listener: { tls } })
    const { connect, log, metric } = gateway
    const overTls: TestGateway['connect'] = given => connect({ tls: trusting, ...given })
    return { connect: overTls, log, metric }
  }
  before(async () => {
    broker = await startFakeBroker()
    broker.answer(ApiKey.ListGroups, () => listGroupsResponseDefaults())
  })
  beforeEach(() => {
    logins = askForLogins(broker, users)
    broker.seen.length = 0
    broker.ownSeen.length = 0
  })
  after(() => broker.stop())
  const stop = async () => {
    await gateway?.stop()
    gateway = undefined
  }

  test('relays the client’s own login and names it by what the broker agreed to', async () => {
    const { connect, log } = await start()
    try {
      for (const session of [scram('alice', 'own-alice'), new PlainClient('bob', 'own-bob')]) {
        const client = await connect()
        await client.ask(ApiKey.ApiVersions, 3, versions)
        assert.equal((await logIn(client, session)).errorCode, 0)
        await client.ask(ApiKey.ListGroups, 4, groups)
        const last = logins.seen.at(-1)!
        assert.equal(broker.seen.at(-1)!.socket, last.socket)
        client.socket.write(Buffer.from([0, 0, 0, 8, 0, 4, 0, 0, 0, 0, 0, 0]))
        await client.expectClosed()
      }
      assert.deepEqual(logins.seen.map(({ name }) => name).slice(-2), ['alice', 'bob'])
      assert.match(log.texts.join(''), /"principal":"User:alice"/)
      assert.match(log.texts.join(''), /"principal":"User:bob"/)
    } finally {
      await stop()
    }
  })

  test('A-14: relays nothing but the login before it succeeded, and nothing after it failed', async () => {
    const { connect, log } = await start()
    try {
      const early = await connect()
      early.send(ApiKey.ListGroups, 4, groups)
      await early.expectClosed()
      const halfway = await connect()
      await halfway.ask(ApiKey.SaslHandshake, 1, { mechanism: 'SCRAM-SHA-256' })
      await halfway.ask(ApiKey.SaslAuthenticate, 2, { authBytes: await scram('alice', 'x').first() })
      halfway.send(ApiKey.ListGroups, 4, groups)
      await halfway.expectClosed()
      const wrong = await connect()
      assert.equal((await logIn(wrong, new PlainClient('alice', 'wrong'))).errorCode, 58)
      await wrong.expectClosed()
      const [line, ...more] = log.lines('login failed')
      assert.deepEqual(more, [])
      assert.deepEqual(
        [line?.level, line?.listener, line?.client, line?.details],
        [
          'warn',
          'clients',
          `127.0.0.1:${wrong.localPort}`,
          { reason: 'refused by the broker: SASL_AUTHENTICATION_FAILED', mechanism: 'PLAIN' },
        ],
      )
      assert.ok(broker.seen.every(({ header }) => [17, 36].includes(header.apiKey)))
      for (const mechanism of ['GSSAPI', '']) {
        const unknown = await connect()
        unknown.send(ApiKey.SaslHandshake, 1, { mechanism })
        await unknown.expectClosed()
      }
    } finally {
      await stop()
    }
  })

  test('D-09: what whoever listens could read is not passed on', async () => {
    gateway = await startTestGateway({ upstream: { bootstrap: [broker.address], sasl } })
    const { connect, log } = gateway
    try {
      for (const mechanism of ['PLAIN', 'OAUTHBEARER']) {
        const client = await connect()
        const answer = await client.ask(ApiKey.SaslHandshake, 1, { mechanism })
        assert.deepEqual(answer, { errorCode: 33, mechanisms: ['SCRAM-SHA-512', 'SCRAM-SHA-256'] })
        await client.expectClosed()
        assert.deepEqual(log.lines('login failed').at(-1)?.details, { reason: `${mechanism} without TLS`, mechanism })
      }
      const client = await connect()
      assert.equal((await logIn(client, scram('alice', 'own-alice'))).errorCode, 0)
      await client.close()
    } finally {
      await stop()
    }
  })

  test('D-07: the broker’s refusal reaches the client a second later', async () => {
    const { connect } = await start()
    try {
      for (const session of [new PlainClient('alice', 'wrong'), scram('alice', 'wrong')]) {
        const client = await connect()
        const begin = performance.now()
        const { errorCode, errorMessage } = await logIn(client, session)
        assert.deepEqual([errorCode, errorMessage], [58, 'no'])
        const tookMs = performance.now() - begin
        assert.ok(tookMs >= 790 && tookMs < 5_000, `${tookMs}`)
        await client.expectClosed()
      }
    } finally {
      await stop()
    }
  })

  test('D-08: after ten failures of one name from one address the broker hears of no more for a minute', async () => {
    const { connect, log } = await start()
    const comes = async (session: SaslClientSession, localAddress = '127.0.0.1') => {
      const client = await connect({ localAddress })
      const { errorCode } = await logIn(client, session)
      await client.close()
      return errorCode === 0
    }
    const own = () => new PlainClient('alice', 'own-alice')
    const messages = () => broker.seen.filter(({ header }) => header.apiKey === ApiKey.SaslAuthenticate).length
    try {
      assert.equal(await comes(own()), true)
      const tries = await Promise.all(
        Array.from({ length: 10 }, (_, at) =>
          comes(at % 2 === 0 ? new PlainClient('alice', 'wrong') : scram('alice', 'wrong')),
        ),
      )
      assert.ok(tries.every(isIn => !isIn))
      const [before, lines] = [messages(), log.lines('login failed').length]
      assert.equal(await comes(own()), false)
      assert.equal(await comes(scram('alice', 'own-alice')), false)
      assert.equal(messages(), before)
      assert.deepEqual(
        log
          .lines('login failed')
          .slice(lines)
          .map(({ details }) => details?.reason),
        Array(2).fill('shut out for a minute after ten failures'),
      )
      assert.equal(await comes(new PlainClient('bob', 'own-bob')), true)
      assert.equal(await comes(own(), '127.0.0.2'), true)
    } finally {
      await stop()
    }
  })

  test('D-08: however many guess at once, the broker hears fewer than twenty', async () => {
    const { connect } = await start()
    const clients = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const client = await connect()
        await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
        return client
      }),
    )
    broker.seen.length = 0
    try {
      const answers = await Promise.all(clients.map(client => authenticate(client, new PlainClient('alice', 'guess'))))
      assert.ok(answers.every(({ errorCode }) => errorCode === 58))
      assert.ok(broker.seen.length >= 10 && broker.seen.length < 20, `${broker.seen.length}`)
      await Promise.all(clients.map(client => client.expectClosed()))
      const bob = await connect()
      assert.equal((await logIn(bob, new PlainClient('bob', 'own-bob'))).errorCode, 0)
      await bob.close()
    } finally {
      await stop()
    }
  })

  test('many who log in at once as the same one are all let in', async () => {
    const { connect } = await start()
    try {
      const clients = await Promise.all(Array.from({ length: 60 }, () => connect()))
      const answers = await Promise.all(clients.map(client => logIn(client, scram('alice', 'own-alice'))))
      assert.ok(answers.every(({ errorCode }) => errorCode === 0))
      await Promise.all(clients.map(client => client.close()))
    } finally {
      await stop()
    }
  })

  test('a broker that does not answer in time ends it, and both connections', async () => {
    const { connect, log } = await start({ connectTimeout: 300 })
    try {
      for (const key of [ApiKey.SaslAuthenticate, ApiKey.SaslHandshake]) {
        broker.answer(key, silence)
        const client = await connect()
        if (key === ApiKey.SaslAuthenticate) await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
        const heard = broker.seen.length
        if (key === ApiKey.SaslAuthenticate)
          client.send(key, 2, { authBytes: await new PlainClient('alice', 'own-alice').first() })
        else client.send(key, 1, { mechanism: 'PLAIN' })
        await until('the broker has heard it', () => broker.seen.length > heard)
        const { socket } = broker.seen.at(-1)!
        const closed = once(socket as Socket, 'close')
        await client.expectClosed()
        await within('the end of the broker connection', closed)
      }
      assert.match(log.texts.join(''), /VKITM_UPSTREAM_SILENT/)
    } finally {
      await stop()
    }
  })

  test('a later login that the broker refuses is one line of the log, with whom it was', async () => {
    const { connect, log, metric } = await start()
    try {
      const client = await connect()
      await logIn(client, scram('alice', 'own-alice'))
      await client.ask(ApiKey.ListGroups, 4, groups)
      const before = await metric('vkitm_errors_total', { cause: 'login' })
      assert.equal((await logIn(client, scram('alice', 'wrong-password'))).errorCode, 58)
      const [line, ...more] = log.lines('login failed')
      assert.deepEqual(more, [])
      assert.deepEqual(
        [line?.level, line?.client, line?.principal, line?.details],
        [
          'warn',
          `127.0.0.1:${client.localPort}`,
          'User:alice',
          { reason: 'refused by the broker: SASL_AUTHENTICATION_FAILED', mechanism: 'SCRAM-SHA-256' },
        ],
      )
      assert.equal(await metric('vkitm_errors_total', { cause: 'login' }), before + 1)
      assert.ok(!log.texts.join('').includes('wrong-password'))
      await client.close()
    } finally {
      await stop()
    }
  })

  test('a later login whose token the broker refuses is one line, too, and the client hears why', async () => {
    const { connect, log } = await start()
    const reply = (errorCode: number, authBytes = '') => ({
      errorCode,
      errorMessage: errorCode === 0 ? null : 'expired',
      authBytes: Buffer.from(authBytes),
      sessionLifetimeMs: 0n,
    })
    const replies = [reply(0), reply(0, '{"status":"invalid_token"}'), reply(58)]
    broker.answer(ApiKey.SaslHandshake, ({ mechanism }) => ({ errorCode: 0, mechanisms: [mechanism] }))
    broker.answer(ApiKey.SaslAuthenticate, () => replies.shift()!)
    try {
      const client = await connect()
      const say = async (authBytes: Buffer) => (await client.ask(ApiKey.SaslAuthenticate, 2, { authBytes })).errorCode
      const begin = () => client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'OAUTHBEARER' })
      await begin()
      assert.equal(await say(token('olga')), 0)
      await client.ask(ApiKey.ListGroups, 4, groups)
      await begin()
      assert.equal(await say(token('olga')), 0)
      assert.equal(await say(Buffer.from([1])), 58)
      assert.deepEqual(
        log.lines('login failed').map(({ principal, details }) => [principal, details]),
        [['User:olga', { reason: 'token refused by the broker', mechanism: 'OAUTHBEARER' }]],
      )
      await begin()
      client.send(ApiKey.SaslAuthenticate, 2, { authBytes: Buffer.from([1]) })
      await client.expectClosed()
      assert.deepEqual(replies, [])
    } finally {
      await stop()
    }
  })

  test('D-13: who began as somebody else is not let in by a token of his own', async () => {
    const { connect } = await start()
    // As Kafka does: what is refused is answered, and the next token is judged anew.
    broker.answer(ApiKey.SaslHandshake, ({ mechanism }) => ({ errorCode: 0, mechanisms: [mechanism] }))
    broker.answer(ApiKey.SaslAuthenticate, ({ authBytes }) => ({
      errorCode: 0,
      errorMessage: null,
      authBytes: authBytes.equals(token('mallory')) ? Buffer.alloc(0) : Buffer.from('{"status":"invalid_token"}'),
      sessionLifetimeMs: 0n,
    }))
    try {
      for (const then of [
        { key: ApiKey.SaslAuthenticate, version: 2, body: { authBytes: token('mallory') } },
        { key: ApiKey.SaslAuthenticate, version: 2, body: { authBytes: token('alice') } },
        { key: ApiKey.SaslAuthenticate, version: 2, body: { authBytes: Buffer.from([1, 1]) } },
        { key: ApiKey.SaslHandshake, version: 1, body: { mechanism: 'OAUTHBEARER' } },
      ]) {
        const client = await connect()
        await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'OAUTHBEARER' })
        await client.ask(ApiKey.SaslAuthenticate, 2, { authBytes: token('alice') })
        const before = broker.seen.length
        client.send(then.key, then.version, then.body)
        await client.expectClosed()
        assert.equal(broker.seen.length, before)
      }
    } finally {
      await stop()
    }
  })

  test('B-26: a later login is one message at a time, whose first names whom it was: nothing else is passed on', async () => {
    const first = async (name: string) => scram(name, 'own-alice').first()
    const flaws: Readonly<Record<string, (client: RawClient) => Promise<void>>> = {
      'a login that names nobody': async client => say(client, Buffer.from('n,,n=al\u0000ice,r=abc')),
      'a login that names nobody, as the last message would be': async client =>
        say(client, Buffer.from('c=biws,r=abc,p=AAAA')),
      'another principal': async client => say(client, await first('bob')),
      'a first message after a first one': async client => {
        await client.ask(ApiKey.SaslAuthenticate, 2, { authBytes: await first('alice') })
        say(client, await first('alice'))
      },
      'a message that does not wait': async client => {
        broker.answer(ApiKey.SaslAuthenticate, silence)
        say(client, await first('alice'))
        await until('the broker has heard the first one', () => broker.seen.length > 0)
        say(client, Buffer.from('c=biws,r=abc,p=AAAA'))
      },
    }
    const say = (client: RawClient, authBytes: Buffer): void =>
      void client.send(ApiKey.SaslAuthenticate, 2, { authBytes })
    const { connect } = await start()
    try {
      for (const [what, begins] of Object.entries(flaws)) {
        logins = askForLogins(broker, users)
        const client = await connect()
        await logIn(client, scram('alice', 'own-alice'))
        await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'SCRAM-SHA-256' })
        broker.seen.length = 0
        await begins(client)
        await client.expectClosed()
        assert.ok(broker.seen.length <= 1, what)
      }
      const unshaken = await connect()
      logins = askForLogins(broker, users)
      await logIn(unshaken, scram('alice', 'own-alice'))
      broker.seen.length = 0
      say(unshaken, await first('alice'))
      await unshaken.expectClosed()
      assert.equal(broker.seen.length, 0)
    } finally {
      await stop()
    }
  })

  test('who logs in and leaves takes the connection to the broker along', async () => {
    const { connect } = await start()
    try {
      const client = await connect()
      await logIn(client, scram('alice', 'own-alice'))
      const { socket } = logins.seen.at(-1)!
      const closed = once(socket as Socket, 'close')
      await client.close()
      await within('the end of the broker connection', closed)
    } finally {
      await stop()
    }
  })

  test('B-26: a later login as somebody else is not relayed', async () => {
    const { connect } = await start()
    try {
      const client = await connect()
      await logIn(client, scram('alice', 'own-alice'))
      await sleep(10)
      assert.equal((await logIn(client, scram('alice', 'own-alice'))).errorCode, 0)
      await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'SCRAM-SHA-256' })
      const before = broker.seen.length
      await assert.rejects(authenticate(client, scram('bob', 'own-bob')))
      await client.expectClosed()
      assert.equal(broker.seen.length, before)
    } finally {
      await stop()
    }
  })
})
