/**
 * Who must not get in, by the clients of four libraries, in front of a real Kafka: each application is told what
 * README says, the gateway's log says why, and nothing of it reaches the broker.
 */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createIssuing, createRoot, type Issued, issueClient } from '../../src/tls/certificate-authority.ts'
import { read, sectionOf } from '../docs/documents.ts'
import { usersOf } from '../sasl/scram-peers.ts'
import { clientMissing } from '../support/clients.ts'
import { freePortRange } from '../support/free-ports.ts'
import { type GatewayProcess, type LogLine, startGateway } from '../support/gateway.ts'
import { type Kafka, skipReason, startKafka } from '../support/kafka.ts'
import { type Attempt, attemptBy, type RefusedClient, type Told } from '../support/refused-clients.ts'
import { type RequestLog, startRequestLog } from '../support/request-log.ts'
import { audience, createTokenSigner, issuer } from '../support/signed-token.ts'
import { issuing, listOf, newClient, newServer, now, root } from '../threats/live-certificates.ts'

const clients = ['java', 'confluent', 'franz', 'kafkajs'] as const
const timeoutMs = 8_000
/** They are in what clients send, and nowhere else. */
const [right, wrong, subject] = ['right-password-of-alice', 'wrong-password-of-alice', 'subject-of-the-token']

interface Situation {
  readonly at: 'passwords' | 'certificates'
  readonly certificate?: 'alice' | 'mallory' | 'oscar' | 'rachel'
  readonly login?: readonly [name: string, password: string]
  readonly token?: 'good' | 'expired'
  readonly host?: string
  readonly ca?: 'foreign'
  /** What the log says; nothing where clients go by themselves. */
  readonly reasons: Readonly<Partial<Record<RefusedClient, RegExp>>>
}

const alice = ['alice', right] as const
const everywhere = (reason: RegExp): Situation['reasons'] => ({
  java: reason,
  confluent: reason,
  franz: reason,
  kafkajs: reason,
})
const noCertificate = /^the client showed no certificate$/
const notTaken = /^the client does not (trust|take) the (authority|gateway)/

const goodOnes: Readonly<Record<string, Situation>> = {
  'with a password': { at: 'passwords', login: alice, reasons: {} },
  'with a token': { at: 'passwords', token: 'good', reasons: {} },
  'with a certificate': { at: 'certificates', certificate: 'alice', reasons: {} },
}
const refusedOnes: Readonly<Record<string, Situation>> = {
  'wrong password': { at: 'passwords', login: ['alice', wrong], reasons: everywhere(/^wrong password$/) },
  'unknown user': { at: 'passwords', login: ['nobody', wrong], reasons: everywhere(/^unknown user$/) },
  'expired token': { at: 'passwords', token: 'expired', reasons: everywhere(/^token refused: it expired at 20/) },
  'it does not trust the gateway': {
    at: 'passwords',
    login: alice,
    ca: 'foreign',
    // kafkajs goes without saying why.
    reasons: { java: notTaken, confluent: notTaken, franz: notTaken },
  },
  "a name that is not in the gateway's certificate": {
    at: 'certificates',
    certificate: 'alice',
    host: '127.0.0.1',
    reasons: { java: notTaken, confluent: notTaken, franz: notTaken },
  },
  'a certificate of another authority': {
    at: 'certificates',
    certificate: 'mallory',
    // Clients that are told which authorities count keep it back.
    reasons: {
      java: noCertificate,
      confluent: noCertificate,
      franz: noCertificate,
      kafkajs: /^the client certificate is from an authority that is not in clientCa/,
    },
  },
  'a certificate of an authority that only has the same name': {
    at: 'certificates',
    certificate: 'oscar',
    reasons: everywhere(
      /^the client certificate is from an authority that is not in clientCa, or that has no list in crl$/,
    ),
  },
  'a revoked certificate': {
    at: 'certificates',
    certificate: 'rachel',
    reasons: everywhere(/^the client certificate is revoked$/),
  },
  'no certificate': { at: 'certificates', reasons: everywhere(noCertificate) },
}
const situations = { ...goodOnes, ...refusedOnes }

const missing = clients.map(client => clientMissing(client)).find(reason => reason !== false)

describe('clients that must not get in', { skip: skipReason() || missing, timeout: 400_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'vkitm-refused-'))
  const { jwks, token } = createTokenSigner(subject)
  const tokens = { good: token(), expired: token({ exp: Math.floor(Date.now() / 1_000) - 600 }) }
  const told = new Map<RefusedClient, Told>()
  const ports = new Map<string, number>()
  let kafka: Kafka
  let tap: RequestLog
  let gateway: GatewayProcess

  const save = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content, { mode: 0o600 })
    return join(folder, name)
  }
  const saveIssued = (name: string, { chain, key }: Issued): void => {
    save(`${name}.pem`, chain.join(''))
    save(`${name}.key`, key)
  }

  before(async () => {
    const foreign = createRoot({ subject: 'CN=foreign', now })
    const rachel = newClient('CN=rachel')
    saveIssued('gateway', newServer({ names: ['localhost'] }))
    saveIssued('alice', newClient('CN=alice'))
    saveIssued('rachel', rachel)
    saveIssued('mallory', issueClient(foreign, { subject: 'CN=mallory', now }))
    const [sameRoot, sameIssuing] = ['CN=Live Root', 'CN=Live Issuing']
    const namesake = createIssuing(createRoot({ subject: sameRoot, now }), { subject: sameIssuing, now })
    saveIssued('oscar', issueClient(namesake, { subject: 'CN=oscar', now }))
    save('ca.pem', root.certificate)
    save('foreign.pem', foreign.certificate)
    save('root.crl', listOf(root))
    save('issuing.crl', listOf(issuing, [{ serial: new X509Certificate(rachel.certificate).serialNumber, at: now }]))
    save('users.json', (await usersOf({ alice: right })).toText())
    save('jwks.json', jwks)
    const tapPort = await freePortRange(1)
    tap = await startRequestLog(tapPort, () => kafka.brokers[0]!.port)
    const advertise = () => ({ host: '127.0.0.1', port: tapPort })
    kafka = await startKafka({ listeners: [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', advertise }] })
    gateway = await startGateway({ config: await configuration(), env: { TMPDIR: folder } })
    for (const client of clients) told.set(client, await attemptBy(client, attemptsOf(client), timeoutMs))
  })
  after(async () => {
    await gateway?.stop()
    await kafka?.stop()
    await tap?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function configuration(): Promise<object> {
    let port = await freePortRange(4 * clients.length)
    const listeners = clients.flatMap(client =>
      (['passwords', 'certificates'] as const).map(side => {
        const name = `${client}-${side}`
        ports.set(name, port)
        const [certificate, key] = [join(folder, 'gateway.pem'), join(folder, 'gateway.key')]
        const crl = [join(folder, 'root.crl'), join(folder, 'issuing.crl')]
        const mutual = { clientCa: join(folder, 'ca.pem'), clientAuth: 'require', crl }
        const oauthbearer = { jwks: join(folder, 'jwks.json'), issuer, audience }
        const sasl = { mechanisms: ['SCRAM-SHA-512', 'OAUTHBEARER'], users: join(folder, 'users.json'), oauthbearer }
        const listener = {
          name,
          bind: `127.0.0.1:${port}`,
          advertise: `localhost:${port}`,
          expose: 'ports',
          brokerPorts: { first: port + 1, count: 1, firstId: kafka.brokers[0]!.id },
          tls: { certificate, key, ...(side === 'certificates' && mutual) },
          ...(side === 'passwords' && { sasl }),
        }
        port += 2
        return listener
      }),
    )
    const upstream = { bootstrap: [`127.0.0.1:${tap.port}`] }
    return { clusters: [{ name: 'main', upstream, listeners, policy: 'none' }] }
  }

  function attemptsOf(client: RefusedClient): Attempt[] {
    return Object.entries(situations).map(([name, situation]) => {
      const { at, certificate, login, token: kind, host = 'localhost', ca } = situation
      return {
        name,
        clientId: clientIdOf(client, name),
        bootstrap: `${host}:${ports.get(`${client}-${at}`)}`,
        ca: join(folder, ca === undefined ? 'ca.pem' : 'foreign.pem'),
        ...(certificate && {
          certificate: join(folder, `${certificate}.pem`),
          key: join(folder, `${certificate}.key`),
        }),
        ...(login && { sasl: { mechanism: 'SCRAM-SHA-512', username: login[0], password: login[1] } }),
        ...(kind && { token: tokens[kind] }),
      }
    })
  }

  const linesAt = (client: RefusedClient, { at }: Situation): LogLine[] =>
    gateway.log.filter(({ listener }) => listener === `${client}-${at}`)

  const rows = new Map(
    Array.from(
      sectionOf(read('README.md'), '### What an application is told').matchAll(/^\| (.+?) \|(( .*`.+` \|){4})$/gm),
      ([, situation = '', cells = '']) => [situation, cells.split(' | ').map(textsIn)] as const,
    ),
  )

  it('are those that README names', () => {
    assert.deepEqual([...rows.keys()], Object.keys(refusedOnes))
  })

  for (const [at, client] of clients.entries()) {
    for (const name of Object.keys(goodOnes)) {
      it(`${client} gets in ${name}, so that what keeps others out is theirs`, () => {
        assert.deepEqual(told.get(client)!.errors.get(name), [])
      })
    }
    for (const [name, situation] of Object.entries(refusedOnes)) {
      it(`${client}, ${name}: its application is told so`, () => {
        const { errors, logged } = told.get(client)!
        const own = logged.split('\n').filter(line => line.includes(`clientId=${clientIdOf(client, name)}]`))
        const heard = [...errors.get(name)!, ...own].join('\n')
        const texts = rows.get(name)?.[at] ?? []
        assert.ok(texts.length > 0 && errors.get(name)!.length > 0, heard)
        for (const text of texts) assert.ok(heard.includes(text), `"${text}" is not in:\n${heard}`)
      })
      const reason = situation.reasons[client]
      if (reason === undefined) continue
      it(`${client}, ${name}: the log says why in one line`, () => {
        const said = linesAt(client, situation).filter(({ details }) => reason.test(reasonIn(details)))
        const first = said.filter(({ details }) => (details as { repeated?: number }).repeated === undefined)
        assert.ok(first.length > 0, JSON.stringify(linesAt(client, situation)))
        for (const line of first) assert.match(String(line.client), /^127\.0\.0\.1:\d+$/)
        const isLogin = situation.at === 'passwords' && situation.ca === undefined
        assert.equal(first[0]?.message, isLogin ? 'login failed' : 'TLS handshake failed')
        if (isLogin) assert.equal(first[0]?.level, 'warn')
      })
    }
  }

  it('leave no secret in the log', () => {
    const text = gateway.log.map(line => JSON.stringify(line)).join('\n')
    assert.ok(text.includes('wrong password'))
    for (const secret of [right, wrong, tokens.good, tokens.expired, tokens.expired.split('.')[1]!])
      assert.ok(!text.includes(secret), secret.slice(0, 20))
  })

  it('send no byte to the broker, which hears of those who got in', () => {
    const heard = [...new Set(tap.seen.map(({ clientId }) => clientId))].filter(id => id !== 'vkitm').sort()
    const allowed = clients.flatMap(client => Object.keys(goodOnes).map(name => clientIdOf(client, name))).sort()
    assert.deepEqual(heard, allowed)
    assert.equal(tap.strayBytes, 0)
  })
})

const reasonIn = (details: unknown): string => String((details as { readonly reason?: unknown } | undefined)?.reason)

function textsIn(cell: string): string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, text = '']) => text)
}

const clientIdOf = (client: RefusedClient, situation: string): string =>
  `${client}-${situation.replaceAll(/[^a-z]+/g, '-')}`
