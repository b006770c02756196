/** The gateway's and its clients' logins at brokers that ask for one. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { UpstreamSaslConfig } from '../../src/config/config.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { listGroupsRequestDefaults } from '../../src/protocol/generated/list-groups-request.ts'
import { listGroupsResponseDefaults } from '../../src/protocol/generated/list-groups-response.ts'
import { Secret } from '../../src/telemetry/secret.ts'
import { usersOf } from '../sasl/scram-peers.ts'
import { type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import { askForLogins, type BrokerLogins, logIn, scram } from '../support/sasl.ts'
import { startTestGateway, type TestGateway } from '../support/test-gateway.ts'
import { until } from '../support/until.ts'

const front = await usersOf({ alice: 'front-alice', bob: 'front-bob', carol: 'front-carol' })
const back = await usersOf({
  gateway: 'back-gateway',
  al: 'back-al',
  bo: 'back-bo',
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

  test('a broker that leaves a later login without an answer loses the connection, in time', async () => {
    logins = askForLogins(broker, back, 300n)
    gateway = await startTestGateway({
      upstream: { bootstrap: [broker.address], sasl: service },
      listener: { sasl: listenerSasl },
      limits: { connectTimeout: 300 },
    })
    try {
      const client = await gateway.connect()
      await logIn(client, scram('alice', 'front-alice'))
      await client.ask(ApiKey.ListGroups, 4, groups)
      broker.answer(ApiKey.SaslHandshake, () => new Promise<never>(() => undefined))
      await client.expectClosed()
      assert.match(gateway.log.texts.join(''), /VKITM_UPSTREAM_SILENT/)
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
})
