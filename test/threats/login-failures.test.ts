/** What a running gateway writes down of those it does not let in, and what it does not. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { ListenerSaslConfig } from '../../src/config/config.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { listGroupsRequestDefaults } from '../../src/protocol/generated/list-groups-request.ts'
import { listGroupsResponseDefaults } from '../../src/protocol/generated/list-groups-response.ts'
import { BearerClient } from '../../src/sasl/oauthbearer.ts'
import { PlainClient } from '../../src/sasl/plain.ts'
import { createRoot, issueClient } from '../../src/tls/certificate-authority.ts'
import { usersOf } from '../sasl/scram-peers.ts'
import { type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import { logIn, scram } from '../support/sasl.ts'
import { audience, createTokenSigner, issuer } from '../support/signed-token.ts'
import { startTestGateway, type TestGateway } from '../support/test-gateway.ts'
import { until } from '../support/until.ts'
import { asClient, issuing, Live, listOf, newClient, newServer, now } from './live-certificates.ts'

const password = 'correct-horse-battery'
const wrong = 'hunter2-hunter2'
const users = await usersOf({ alice: password, bob: password })
const half = await usersOf({ carol: password }, ['SCRAM-SHA-512'])
const all = users.with('carol', new Map([['SCRAM-SHA-512', half.verifier('carol', 'SCRAM-SHA-512')!]]))
const passwords: ListenerSaslConfig = {
  mechanisms: ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'],
  users: { path: 'users.json', content: Buffer.from(all.toText()) },
}

/** Its name is nowhere but in the token: what is written down of it shows. */
const subject = 'subject-of-a-token'
const { jwks, token } = createTokenSigner(subject)
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const tokens: ListenerSaslConfig = {
  mechanisms: ['OAUTHBEARER'],
  oauthbearer: {
    jwks: { kind: 'file', file: { path: 'jwks.json', content: Buffer.from(jwks) } },
    issuer,
    audience,
    algorithms: ['ES256'],
    principalClaim: 'sub',
  },
}

const groups = listGroupsRequestDefaults()

describe('a login that failed', () => {
  let broker: FakeBroker
  let gateway: TestGateway
  const start = (sasl: ListenerSaslConfig) =>
    startTestGateway({ upstream: { bootstrap: [broker.address] }, listener: { sasl } })
  const failures = () => gateway.log.lines('login failed')
  before(async () => {
    broker = await startFakeBroker()
    broker.answer(ApiKey.ListGroups, () => listGroupsResponseDefaults())
  })
  after(() => broker.stop())

  test('is one line with address, listener, mechanism and reason, and no secret', async () => {
    gateway = await start(passwords)
    try {
      const cases = [
        [new PlainClient('alice', wrong), { reason: 'wrong password', mechanism: 'PLAIN', user: 'alice' }],
        [scram('alice', wrong), { reason: 'wrong password', mechanism: 'SCRAM-SHA-256', user: 'alice' }],
        // What stands in the place of a name may be a password.
        [new PlainClient(wrong, wrong), { reason: 'unknown user', mechanism: 'PLAIN' }],
        [scram(wrong, wrong, 'SCRAM-SHA-512'), { reason: 'unknown user', mechanism: 'SCRAM-SHA-512' }],
        [
          scram('carol', password),
          { reason: 'the user has no password for SCRAM-SHA-256', mechanism: 'SCRAM-SHA-256', user: 'carol' },
        ],
      ] as const
      for (const [session, details] of cases) {
        const before = await gateway.metric('vkitm_errors_total', { cause: 'login' })
        const client = await gateway.connect()
        const { localPort } = client
        assert.equal((await logIn(client, session)).errorCode, 58)
        await client.expectClosed()
        const [line, ...more] = failures().filter(({ client: from }) => from === `127.0.0.1:${localPort}`)
        assert.deepEqual(more, [])
        assert.deepEqual([line?.level, line?.listener, line?.details], ['warn', 'clients', details])
        assert.equal(typeof line?.connection, 'number')
        assert.equal(await gateway.metric('vkitm_errors_total', { cause: 'login' }), before + 1)
      }
      for (const mechanism of ['OAUTHBEARER', wrong]) {
        const client = await gateway.connect()
        await client.ask(ApiKey.SaslHandshake, 1, { mechanism })
        await client.expectClosed()
        const known = mechanism === wrong ? {} : { mechanism }
        assert.deepEqual(failures().at(-1)?.details, { reason: 'a mechanism that is not enabled', ...known })
      }
      assert.ok(!gateway.log.texts.join('').includes(wrong))
      assert.ok(!gateway.log.texts.join('').includes(password))
      assert.equal(broker.receivedBytes, 0)
    } finally {
      await gateway.stop()
    }
  })

  test('with a token says why in words, is counted, and answered after a second, whether or not the client goes on', async () => {
    gateway = await start(tokens)
    try {
      const past = Math.floor(Date.now() / 1_000) - 600
      const cases = {
        [`it expired at ${new Date(past * 1_000).toISOString()}`]: token({ exp: past }),
        'it is from another issuer': token({ iss: 'https://evil' }),
        'it is meant for another audience': token({ aud: 'other' }),
        'its signature is wrong': token({}, {}, other.privateKey),
        'no key of the issuer has its kid': token({}, { kid: 'two' }),
        'its algorithm is not among those that are believed': token({}, { alg: 'RS256' }),
        'it has no exp': token({ exp: undefined }),
        'it is no signed JSON Web Token': 'abc',
      }
      await Promise.all(
        Object.entries(cases).map(async ([why, text], at) => {
          const client = await gateway.connect()
          await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'OAUTHBEARER' })
          const begin = performance.now()
          const authBytes = await new BearerClient(text).first()
          const { errorCode, authBytes: status } = await client.ask(ApiKey.SaslAuthenticate, 2, { authBytes })
          assert.deepEqual([errorCode, status.toString()], [0, '{"status":"invalid_token"}'], why)
          const tookMs = performance.now() - begin
          assert.ok(tookMs >= 790 && tookMs < 5_000, `${why}: ${tookMs}`)
          if (at % 2 === 0) return client.close()
          const last = await client.ask(ApiKey.SaslAuthenticate, 2, { authBytes: Buffer.from([1]) })
          assert.equal(last.errorCode, 58)
          await client.expectClosed()
        }),
      )
      assert.deepEqual(
        failures()
          .map(({ details }) => details)
          .toSorted((one, two) => String(one?.reason).localeCompare(String(two?.reason))),
        Object.keys(cases)
          .map(why => ({ reason: `token refused: ${why}`, mechanism: 'OAUTHBEARER' }))
          .toSorted((one, two) => one.reason.localeCompare(two.reason)),
      )
      assert.equal(await gateway.metric('vkitm_errors_total', { cause: 'login' }), Object.keys(cases).length)
      const text = gateway.log.texts.join('')
      assert.ok(!text.includes(subject) && !text.includes(token().split('.')[0]!))
      const client = await gateway.connect()
      assert.equal((await logIn(client, new BearerClient(token()))).errorCode, 0)
      await client.ask(ApiKey.ListGroups, 4, groups)
      await client.close()
    } finally {
      await gateway.stop()
    }
  })

  test('is written once and then counted, however many come from one address', async () => {
    gateway = await start(passwords)
    const attempts = 60
    try {
      await Promise.all(
        Array.from({ length: attempts }, async () => {
          const client = await gateway.connect()
          await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
          await client.ask(ApiKey.SaslAuthenticate, 2, { authBytes: Buffer.from('\0') })
          await client.expectClosed()
        }),
      )
      assert.equal(failures().length, 1)
      assert.equal(await gateway.metric('vkitm_errors_total', { cause: 'login' }), attempts)
    } finally {
      await gateway.stop()
    }
    assert.deepEqual(
      failures().map(({ details }) => details?.repeated),
      [undefined, attempts - 1],
    )
  })

  test('is not hidden by a stranger who causes as many different failures as there are requests', async () => {
    gateway = await start(passwords)
    try {
      const request = Buffer.from([0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
      for (let apiKey = 1_000; apiKey < 1_600; apiKey++) {
        const stranger = await gateway.connect({ localAddress: '127.0.0.2' })
        request.writeInt16BE(apiKey, 4)
        stranger.socket.write(Buffer.from(request))
        await stranger.expectClosed()
      }
      const client = await gateway.connect()
      assert.equal((await logIn(client, new PlainClient('alice', wrong))).errorCode, 58)
      assert.equal(failures().at(-1)?.details?.user, 'alice')
      const [more] = gateway.log.lines('more failures of one address than are written down: these are counted alone')
      assert.match(more?.client ?? '', /^127\.0\.0\.2:/)
    } finally {
      await gateway.stop()
    }
  })

  test('D-08: whoever guesses the password of somebody who is logged in ends nothing of it', async () => {
    gateway = await start(passwords)
    try {
      const alice = await gateway.connect()
      await logIn(alice, new PlainClient('alice', password))
      const guesses = Array.from({ length: 10 }, async () => {
        const client = await gateway.connect()
        await logIn(client, new PlainClient('alice', wrong))
      })
      await Promise.all(guesses)
      const late = await gateway.connect()
      assert.equal((await logIn(late, new PlainClient('alice', password))).errorCode, 58)
      assert.equal((await logIn(alice, new PlainClient('alice', password))).errorCode, 0)
      await alice.ask(ApiKey.ListGroups, 4, groups)
      await alice.close()
    } finally {
      await gateway.stop()
    }
  })

  test('D-08: ten of one name from one address shut it out from there for a minute, and nobody else', async () => {
    gateway = await start(passwords)
    const comes = async (name: string, secret: string, localAddress = '127.0.0.1') => {
      const client = await gateway.connect({ localAddress })
      const { errorCode } = await logIn(client, new PlainClient(name, secret))
      await client.close()
      return errorCode === 0
    }
    try {
      assert.equal(await comes('alice', password), true)
      const tries = await Promise.all(Array.from({ length: 10 }, () => comes('alice', wrong)))
      assert.ok(tries.every(isIn => !isIn))
      const before = failures().length
      assert.equal(await comes('alice', password), false)
      assert.deepEqual(failures().at(before)?.details, {
        reason: 'shut out for a minute after ten failures',
        mechanism: 'PLAIN',
        user: 'alice',
      })
      assert.equal(await comes('bob', password), true)
      assert.equal(await comes('alice', password, '127.0.0.2'), true)
    } finally {
      await gateway.stop()
    }
  })
})

describe('a client whose certificate is no good', () => {
  for (const clientAuth of ['require', 'request'] as const) {
    test(`is one line with address, listener and cause, with clientAuth: ${clientAuth}`, async () => {
      const live = new Live()
      live.serve(newServer())
      const gateway = await live.start(await live.mutual(clientAuth))
      try {
        const revoked = newClient('CN=rachel')
        live.write(
          'issuing.crl',
          listOf(issuing, [{ serial: new X509Certificate(revoked.certificate).serialNumber, at: now }]),
        )
        await until('the list is in force', () => gateway.log.lines('reloaded').length > 0)
        const foreign = createRoot({ subject: 'CN=foreign', now })
        const mallory = issueClient(foreign, { subject: 'CN=mallory', now })
        const cases: Readonly<Record<string, object>> = {
          'the client certificate is revoked': asClient(revoked),
          'the client certificate is from an authority that is not in clientCa': asClient(mallory),
          ...(clientAuth === 'require' && { 'the client showed no certificate': {} }),
        }
        for (const [reason, options] of Object.entries(cases)) {
          const { socket } = await live.shake(options)
          await new Promise<void>(resolve => (socket.closed ? resolve() : socket.once('close', () => resolve())))
          const lines = gateway.log.lines().filter(({ client }) => client?.startsWith('127.0.0.1:') === true)
          const said = lines.filter(({ details, err }) => details?.reason === reason || err?.message === reason)
          assert.equal(said.length, 1, `${reason}: ${JSON.stringify(lines)}`)
          assert.equal(said[0]?.listener, 'clients')
          assert.equal(said[0]?.level, reason.includes('showed no') ? 'info' : 'warn')
        }
        assert.equal(live.broker.receivedBytes, 0)
      } finally {
        await live.stop()
      }
    })
  }
})
