/** The gateway's and its clients' logins at brokers that ask for one. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { UpstreamSaslConfig } from '../../src/config/config.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { apiVersionsRequestDefaults } from '../../src/protocol/generated/api-versions-request.ts'
import { listGroupsRequestDefaults } from '../../src/protocol/generated/list-groups-request.ts'
import { listGroupsResponseDefaults } from '../../src/protocol/generated/list-groups-response.ts'
import { PlainClient } from '../../src/sasl/plain.ts'
import { Secret } from '../../src/telemetry/secret.ts'
import { usersOf } from '../sasl/scram-peers.ts'
import { type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import { askForLogins, authenticate, type BrokerLogins, logIn, scram } from '../support/sasl.ts'
import { startTestGateway, type TestGateway } from '../support/test-gateway.ts'
import { until, within } from '../support/until.ts'

const front = await usersOf({ alice: 'front-alice', bob: 'front-bob', carol: 'front-carol' })
const back = await usersOf({
  gateway: 'back-gateway',
  al: 'back-al',
  bo: 'back-bo',
  alice: 'own-alice',
  bob: 'own-bob',
})
const listenerSasl = {
  mechanisms: ['SCRAM-SHA-256'],
  users: { path: 'users.json', content: Buffer.from(front.toText()) },
} as const
const own = { kind: 'password', username: 'gateway', password: new Secret('back-gateway') } as const
const service: UpstreamSaslConfig = { mode: 'service', mechanism: 'SCRAM-SHA-512', own }
const credentials = {
  path: 'mapped.json',
  content: Buffer.from(
    JSON.stringify({
      'User:alice': { username: 'al', password: 'back-al' },
      'User:bob': { username: 'bo', password: 'back-bo' },
    }),
  ),
}
const groups = listGroupsRequestDefaults()
/** OAUTHBEARER's only message, with a token that nobody signed. */
const token = (sub: string) =>
  Buffer.from(`n,,\x01auth=Bearer e30.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.x\x01\x01`)

describe('brokers that ask for a login', () => {
  let broker: FakeBroker
  let logins: BrokerLogins
  let gateway: TestGateway | undefined
  const start = async (sasl: UpstreamSaslConfig, withListener = true) => {
    gateway = await startTestGateway({
      upstream: { bootstrap: [broker.address], sasl },
      listener: withListener ? { sasl: listenerSasl } : {},
    })
    return gateway
  }
  before(async () => {
    broker = await startFakeBroker()
    broker.answer(ApiKey.ListGroups, () => listGroupsResponseDefaults())
  })
  beforeEach(() => {
    logins = askForLogins(broker, back)
    broker.seen.length = 0
    broker.ownSeen.length = 0
  })
  after(() => broker.stop())
  const stop = async () => {
    await gateway?.stop()
    gateway = undefined
  }

  test('service: every connection logs in as the gateway before anything else', async () => {
    const { connect } = await start(service)
    try {
      const client = await connect()
      await logIn(client, scram('alice', 'front-alice'))
      await client.ask(ApiKey.ListGroups, 4, groups)
      assert.deepEqual(
        logins.seen.map(({ name }) => name),
        ['gateway', 'gateway'],
      )
      for (const socket of new Set(logins.seen.map(each => each.socket))) {
        const first = broker.ownSeen.find(seen => seen.socket === socket)
        assert.equal(first?.header.apiKey, ApiKey.SaslHandshake)
      }
    } finally {
      await stop()
    }
  })

  test('D-15 B-36: mapped: each principal has its own credential and its own connection, and who has none is refused', async () => {
    const { connect, log } = await start({ mode: 'mapped', mechanism: 'PLAIN', own, credentials })
    try {
      const clients = await Promise.all(
        (['alice', 'bob'] as const).map(async name => {
          const client = await connect()
          await logIn(client, scram(name, `front-${name}`))
          await client.ask(ApiKey.ListGroups, 4, groups)
          return client
        }),
      )
      assert.deepEqual(logins.seen.map(({ name }) => name).sort(), ['al', 'bo', 'gateway'])
      assert.equal(new Set(broker.seen.map(({ socket }) => socket)).size, 2)
      const carol = await connect()
      await logIn(carol, scram('carol', 'front-carol'))
      carol.send(ApiKey.ListGroups, 4, groups)
      await carol.expectClosed()
      assert.equal(logins.seen.length, 3)
      const text = log.texts.join('')
      assert.match(text, /VKITM_UPSTREAM_NO_CREDENTIAL/)
      assert.ok(!/back-|front-/.test(text))
      for (const client of clients) await client.close()
    } finally {
      await stop()
    }
  })

  test('a broker that refuses the gateway’s password is told in the log, without it', async () => {
    const bad = { ...own, password: new Secret('wrong-password') }
    gateway = await startTestGateway({
      upstream: { bootstrap: [broker.address], sasl: { ...service, own: bad } },
      unready: true,
    })
    try {
      await until('the failure is logged', () => gateway!.log.texts.join('').includes('VKITM_SASL'))
      assert.match(gateway.log.texts.join(''), /SASL_AUTHENTICATION_FAILED/)
      assert.ok(!gateway.log.texts.join('').includes('wrong-password'))
    } finally {
      await stop()
    }
  })

  test('D-03: a broker that does not prove that it knows the password gets nothing', async () => {
    broker.answer(ApiKey.SaslAuthenticate, ({ authBytes }) => {
      const nonce = /r=([^,]+)/.exec(authBytes.toString())?.[1]
      const challenge = authBytes.toString().startsWith('n,,')
        ? `r=${nonce}x,s=${Buffer.alloc(16).toString('base64')},i=4096`
        : `v=${Buffer.alloc(64).toString('base64')}`
      return { errorCode: 0, errorMessage: null, authBytes: Buffer.from(challenge), sessionLifetimeMs: 0n }
    })
    gateway = await startTestGateway({ upstream: { bootstrap: [broker.address], sasl: service }, unready: true })
    try {
      await until('the failure is logged', () => gateway!.log.texts.join('').includes('impostor'))
      assert.ok(broker.ownSeen.every(({ header }) => [17, 36].includes(header.apiKey)))
    } finally {
      await stop()
    }
  })

  test('logs in again before a login ends, with requests under way, and nothing is lost or out of turn', async () => {
    logins = askForLogins(broker, back, 400n)
    const { connect } = await start(service)
    try {
      const client = await connect()
      await logIn(client, scram('alice', 'front-alice'))
      const until = performance.now() + 2_000
      let asked = 0
      while (performance.now() < until) {
        await Promise.all([client.ask(ApiKey.ListGroups, 4, groups), client.ask(ApiKey.ListGroups, 4, groups)])
        asked += 2
      }
      const { socket } = broker.seen[0]!
      assert.equal(broker.seen.length, asked)
      assert.ok(logins.seen.filter(each => each.socket === socket).length >= 4, 'it logged in again')
      await client.close()
    } finally {
      await stop()
    }
  })

  describe('passthrough', () => {
    const passthrough: UpstreamSaslConfig = { mode: 'passthrough', mechanism: 'SCRAM-SHA-256', own }
    const versions = { ...apiVersionsRequestDefaults(), clientSoftwareName: 'test', clientSoftwareVersion: '1' }

    test('relays the client’s own login and names it by what the broker agreed to', async () => {
      const { connect, log } = await start(passthrough, false)
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
      const { connect, log } = await start(passthrough, false)
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

    test('a later login that the broker refuses is one line of the log, with whom it was', async () => {
      const { connect, log, metric } = await start(passthrough, false)
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
      const { connect, log } = await start(passthrough, false)
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
      const { connect } = await start(passthrough, false)
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

    test('who logs in and leaves takes the connection to the broker along', async () => {
      const { connect } = await start(passthrough, false)
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
      const { connect } = await start(passthrough, false)
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
})
