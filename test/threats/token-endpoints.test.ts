/** Those who issue tokens, and the keys to verify them with, over HTTPS: good ones, bad ones, and none, at a running gateway. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ListenerSaslConfig } from '../../src/config/config.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { listGroupsRequestDefaults } from '../../src/protocol/generated/list-groups-request.ts'
import { listGroupsResponseDefaults } from '../../src/protocol/generated/list-groups-response.ts'
import type { SaslClientSession } from '../../src/sasl/conversation.ts'
import { BearerClient, parseBearer } from '../../src/sasl/oauthbearer.ts'
import { Secret } from '../../src/telemetry/secret.ts'
import { createRoot, issueServer } from '../../src/tls/certificate-authority.ts'
import { usersOf } from '../sasl/scram-peers.ts'
import { type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import type { LogLine } from '../support/memory-log.ts'
import { logIn, scram } from '../support/sasl.ts'
import { audience, createTokenSigner, issuer } from '../support/signed-token.ts'
import { startTestGateway, type TestGateway } from '../support/test-gateway.ts'
import { until } from '../support/until.ts'
import { Live, newServer, now, root } from './live-certificates.ts'

const groups = listGroupsRequestDefaults()
const clientSecret = 'canary-client-secret'
const access = 'canary-access-token'

type Answer = (request: IncomingMessage, response: ServerResponse) => void
const json =
  (value: object, status = 200): Answer =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

const switching: Answer = ({ socket }) => {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: nonsense']
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
}

/** An identity provider that says what a test wants. */
class Provider {
  answer: Answer = json({})
  readonly asked: string[] = []
  readonly #server: Server

  constructor({ chain, key } = newServer()) {
    this.#server = createServer({ cert: chain.join(''), key }, (request, response) => {
      this.asked.push(request.url ?? '')
      this.answer(request, response)
    })
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  url(path: string): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}${path}`
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

const live = new Live()
const providers: Provider[] = []
const provider = async (...args: ConstructorParameters<typeof Provider>): Promise<Provider> => {
  const made = await new Provider(...args).start()
  providers.push(made)
  return made
}
after(async () => {
  for (const each of providers) each.stop()
  await live.stop()
})

describe('a token endpoint', () => {
  let broker: FakeBroker
  let gateway: TestGateway
  let idp: Provider
  const good = json({ access_token: access, token_type: 'bearer' })
  const start = async (to = idp) => {
    const own = {
      kind: 'tokenEndpoint' as const,
      tokenEndpoint: to.url('/token'),
      clientId: 'gateway',
      clientSecret: new Secret(clientSecret),
      ca: { kind: 'pem' as const, ...(await live.file('idp-ca.pem')) },
    }
    const sasl = { mode: 'service', mechanism: 'OAUTHBEARER', own } as const
    gateway = await startTestGateway({ upstream: { bootstrap: [broker.address], sasl }, unready: true })
  }
  const ready = (): Promise<void> =>
    until('the cluster is known', async () => (await gateway.page('/readyz')).status === 200)
  const failedBy = (text: RegExp) => (line: LogLine) => text.test(`${line.err?.message}`)

  before(() => live.write('idp-ca.pem', root.certificate))
  beforeEach(async () => {
    live.write('idp-ca.pem', root.certificate)
    idp = await provider()
    broker = await startFakeBroker()
    broker.answer(ApiKey.ListGroups, () => listGroupsResponseDefaults())
    broker.answer(ApiKey.SaslHandshake, () => ({ errorCode: 0, mechanisms: ['OAUTHBEARER'] }))
    broker.answer(ApiKey.SaslAuthenticate, ({ authBytes }) => {
      const isGood = parseBearer(authBytes)?.token === access
      const challenge = Buffer.from(isGood ? '' : '{"status":"invalid_token"}')
      return { errorCode: 0, errorMessage: null, authBytes: challenge, sessionLifetimeMs: 0n }
    })
  })

  test('D-12: that fails is told in the log by what it did, without a secret, and used as soon as it does not', async () => {
    const elsewhere = await provider()
    elsewhere.answer = good
    const ways: readonly (readonly [RegExp, Answer])[] = [
      [/https:\/\/localhost:\d+: status 500/, json({ error: access }, 500)],
      [/: status 401/, json({ error: 'invalid_client' }, 401)],
      [/: status 302/, (_, response) => response.writeHead(302, { location: elsewhere.url('/token') }).end()],
      [/answered without access_token/, (_, response) => response.end(`<html>${access}</html>`)],
      [/: longer than 1 MiB/, (_, response) => response.end(Buffer.alloc(2 * 1024 * 1024, 'x'))],
      [/socket hang up|ECONNRESET/, request => request.socket.destroy()],
      [/closed without an answer/, switching],
      [/the broker refused the token/, json({ access_token: 'expired-canary', expires_in: 3_600 })],
      [/: no whole answer within 5000 ms/, () => undefined],
      [/: no whole answer within 5000 ms/, (_, response) => void response.writeHead(200).write('{"access_token":')],
    ]
    idp.answer = ways[0]![1]
    await start()
    try {
      for (const [text, answer] of ways) {
        idp.answer = answer
        const before = gateway.log.lines().filter(failedBy(text)).length
        await until(String(text), () => gateway.log.lines().filter(failedBy(text)).length > before, 20_000)
      }
      assert.equal((await gateway.page('/readyz')).status, 503)
      idp.answer = good
      await ready()
      assert.deepEqual(elsewhere.asked, [])
      const all = gateway.log.texts.join('')
      assert.ok(!all.includes('canary'), 'no secret is in the log')
    } finally {
      await gateway.stop()
      await broker.stop()
    }
  })

  test('that is down and comes back costs the logins between, and no open connection', async () => {
    idp.answer = good
    await start()
    try {
      await ready()
      const open = await gateway.connect()
      await open.ask(ApiKey.ListGroups, 4, groups)
      idp.answer = request => request.socket.destroy()
      const late = await gateway.connect()
      late.send(ApiKey.ListGroups, 4, groups)
      await late.expectClosed()
      assert.equal(late.receivedBytes, 0)
      await open.ask(ApiKey.ListGroups, 4, groups)
      const [line] = gateway.log.lines().filter(({ err }) => err?.code === 'VKITM_FETCH')
      assert.equal(line?.level, 'warn')
      idp.answer = good
      await until('logins work again', async () => {
        const client = await gateway.connect()
        const isServed = await client.ask(ApiKey.ListGroups, 4, groups).then(
          () => true,
          () => false,
        )
        await client.close()
        return isServed
      })
      await open.ask(ApiKey.ListGroups, 4, groups)
      await open.close()
    } finally {
      await gateway.stop()
      await broker.stop()
    }
  })

  test('is trusted by the authorities that are named, from when they are', async () => {
    const other = createRoot({ subject: 'CN=other authority', now })
    const theirs = await provider(issueServer(other, { names: ['localhost'], now }))
    theirs.answer = good
    await start(theirs)
    try {
      const untrusted = failedBy(/certificate|unable to verify/)
      await until('it is not trusted', () => gateway.log.lines().some(untrusted))
      assert.deepEqual(theirs.asked, [])
      live.write('idp-ca.pem', other.certificate)
      await ready()
      assert.ok(theirs.asked.length > 0)
    } finally {
      await gateway.stop()
      await broker.stop()
    }
  })

  test('whose certificate has another name is not asked', async () => {
    const theirs = await provider(newServer({ names: ['elsewhere.example'] }))
    theirs.answer = good
    await start(theirs)
    try {
      await until('it is not trusted', () => gateway.log.lines().some(failedBy(/altnames/)))
      assert.deepEqual(theirs.asked, [])
    } finally {
      await gateway.stop()
      await broker.stop()
    }
  })
})

describe('keys at an HTTPS URL', () => {
  const { jwks, token } = createTokenSigner('alice')
  let broker: FakeBroker
  before(async () => {
    live.write('idp-ca.pem', root.certificate)
    // A gateway reads again what changed less than 20 ms before it started, and asks for the keys anew.
    await sleep(100)
    broker = await startFakeBroker()
  })
  after(() => broker.stop())

  async function reasonAt(idp: Provider, withCa: boolean): Promise<string | undefined> {
    const ca = { kind: 'pem' as const, ...(await live.file('idp-ca.pem')) }
    const oauthbearer = {
      jwks: { kind: 'url', url: idp.url('/keys') },
      issuer,
      audience,
      algorithms: ['ES256'],
      principalClaim: 'sub',
      ...(withCa && { ca }),
    } as const
    const gateway = await startTestGateway({
      upstream: { bootstrap: [broker.address] },
      listener: { sasl: { mechanisms: ['OAUTHBEARER'], oauthbearer } },
    })
    try {
      const client = await gateway.connect()
      const isIn = await logIn(client, new BearerClient(token())).then(
        ({ errorCode }) => errorCode === 0,
        () => false,
      )
      await client.close()
      const [line] = gateway.log.lines('login failed')
      assert.equal(line === undefined, isIn)
      return line === undefined ? undefined : String(line.details?.reason)
    } finally {
      await gateway.stop()
    }
  }

  test('D-12: are fetched where the named authorities vouch for it, and nothing is believed where nobody does', async () => {
    const idp = await provider()
    idp.answer = (_, response) => response.end(jwks)
    assert.equal(await reasonAt(idp, true), undefined)
    assert.deepEqual(idp.asked, ['/keys'])
    const reason = await reasonAt(idp, false)
    assert.match(
      reason ?? '',
      /^token refused: there are no keys to verify tokens with: nothing usable came from https:/,
    )
    assert.match(reason ?? '', /certificate/)
    assert.deepEqual(idp.asked, ['/keys'])
  })

  test('that are half written keep no user in who was removed', async () => {
    const users = await usersOf({ alice: 'her-password', bob: 'his-password' })
    live.write('users.json', users.toText())
    live.write('jwks.json', jwks)
    const broker = await startFakeBroker()
    const sasl: ListenerSaslConfig = {
      mechanisms: ['OAUTHBEARER', 'SCRAM-SHA-256'],
      users: await live.file('users.json'),
      oauthbearer: {
        jwks: { kind: 'file', file: await live.file('jwks.json') },
        issuer,
        audience,
        algorithms: ['ES256'],
        principalClaim: 'sub',
      },
    }
    const gateway = await startTestGateway({ upstream: { bootstrap: [broker.address] }, listener: { sasl } })
    const comes = async (session: SaslClientSession) => {
      const client = await gateway.connect()
      const { errorCode } = await logIn(client, session)
      await client.close()
      return errorCode === 0
    }
    try {
      live.write('jwks.json', jwks.slice(0, -10))
      live.write('users.json', users.without('bob').toText())
      await assert.rejects(gateway.gateway.reload(), /jwks|JSON Web Key Set/)
      assert.equal(await comes(scram('bob', 'his-password')), false)
      assert.equal(await comes(scram('alice', 'her-password')), true)
      assert.equal(await comes(new BearerClient(token())), true)
    } finally {
      await gateway.stop()
      await broker.stop()
    }
  })

  test('D-11: that are not to be had let nobody in, and the log says why', async () => {
    const idp = await provider()
    for (const [why, answer] of [
      [/status 503/, json({}, 503)],
      [/is no JSON Web Key Set/, json({ keys: [] })],
      [/socket hang up|ECONNRESET/, (request: IncomingMessage) => request.socket.destroy()],
    ] as const) {
      idp.answer = answer as Answer
      assert.match((await reasonAt(idp, true)) ?? '', why)
    }
  })
})
