/** Clients under load whose logins end every ten seconds, at the gateway and at the broker (KIP-368). */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { usersOf } from '../sasl/scram-peers.ts'
import { createAuthority } from '../support/certificates.ts'
import {
  type ClientName,
  type ClientReport,
  clientMissing,
  type Job,
  type RunClientOptions,
  runClient,
  runJobs,
} from '../support/clients.ts'
import { freePortRange } from '../support/free-ports.ts'
import { type GatewayProcess, startGateway } from '../support/gateway.ts'
import { type Kafka, skipReason, startKafka } from '../support/kafka.ts'
import { complaints } from '../support/oracle.ts'
import { connectRaw } from '../support/raw-client.ts'
import { logIn, scram } from '../support/sasl.ts'
import { audience, issuer } from '../support/signed-token.ts'
import { createTokenIssuer } from '../support/tokens.ts'

const seconds = Number(process.env.VKITM_REAUTH_SECONDS ?? 60)
const perSecond = 400
const lifetimeMs = 10_000
/** After the first record is stored; before the first login ends. */
const settledMs = 5_000
/** Each client: to produce, to fetch, to the coordinator. */
const connectionsOfClient = 3
const partitions = 3
const mechanism = 'SCRAM-SHA-512'
const back = { gateway: 'back-gateway', carol: 'back-carol', dora: 'back-dora' }
const front = { alice: 'front-alice', bob: 'front-bob' }

const ways = ['ends', 'passes on'] as const
type Way = (typeof ways)[number]
const clients = ['java', 'confluent'] as const

interface Counted {
  readonly connections: number
  /** Connections of clients that are over, and of the gateway for them. */
  readonly closed: number
  readonly upstreamClosed: number
  readonly handshakes: number
}

interface Load {
  readonly ended: Promise<ReadonlyMap<ClientName, ClientReport>>
  /** Early, and shortly before the clients are through. */
  readonly counted: Promise<readonly [before: Counted, now: Counted]>
}

interface Front {
  readonly process: GatewayProcess
  readonly port: number
}

describe(`logins that end every 10 s, for ${seconds} s`, {
  skip: skipReason() || clientMissing('java'),
  timeout: (seconds + 300) * 1_000,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'vkitm-reauthentication-'))
  const authority = createAuthority(join(folder, 'certificates'), { days: 60 })
  const certificate = authority.server('front', ['localhost', '127.0.0.1'])
  const tokens = createTokenIssuer()
  const keySet = join(folder, 'jwks.json')
  const tokenFile = join(folder, 'token')
  const jvm = [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${pathToFileURL(tokenFile).href}`]
  const gateways = new Map<Way, Front>()
  const firstTimestamp = Date.now() - 3_600_000
  const loads = new Map<Way, Load>()
  let kafka: Kafka

  before(async () => {
    kafka = await startBroker()
    writeFileSync(join(folder, 'users.json'), (await usersOf(front)).toText(), { mode: 0o600 })
    writeFileSync(keySet, tokens.keySet)
    const oauthbearer = { jwks: keySet, issuer, audience }
    const sasl = { mechanisms: [mechanism, 'OAUTHBEARER'], users: join(folder, 'users.json'), oauthbearer }
    gateways.set('ends', await start('service', { ...sasl, sessionLifetime: `${lifetimeMs}ms` }))
    gateways.set('passes on', await start('passthrough'))
    const topics = [...ways.flatMap(way => clients.map(client => jobOf(way, client).topic)), ...clients.map(changing)]
    const job = { bootstrap: kafka.bootstrap, topics, partitions, replicas: 1, shareGroups: [] }
    await runClient('java', job, { task: 'prepare' })
    // Both at the same time: each of them takes as long as it takes.
    for (const way of ways) loads.set(way, startLoad(way))
  })
  after(async () => {
    for (const { process } of gateways.values()) await process.stop()
    await kafka?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  for (const way of ways) {
    describe(`at a gateway that ${way === 'ends' ? 'ends the login' : 'passes it on'}`, () => {
      for (const client of clients) {
        it(`${client} sees no error, and each record is stored and read once, in order`, {
          skip: clientMissing(client),
        }, async () => {
          const report = (await loads.get(way)!.ended).get(client)!
          assert.deepEqual(complaints(jobOf(way, client), report), [])
          assert.deepEqual([report.facts.get('failed'), report.facts.get('error')], [undefined, undefined])
          // A broker that was just started has not loaded the coordinator of producer ids yet.
          const retries = report.retries.filter(text => !/Coordinator load in progress/.test(text))
          assert.deepEqual(retries, [])
          assert.doesNotMatch(report.stderr, / (WARN|ERROR) /)
        })
      }

      it('they logged in again, each on the connections it had', async context => {
        const { ended, counted } = loads.get(way)!
        const due = dueOf((await ended).size)
        const [before, now] = await counted
        const again = now.handshakes - now.connections
        context.diagnostic(`${again} later logins on ${now.connections} connections, ${due} were due`)
        assert.ok(again >= due, `${again} later logins of clients, ${due} were due`)
        assert.equal(now.closed, before.closed, 'clients lost a connection')
        assert.equal(now.upstreamClosed, before.upstreamClosed, 'the gateway lost a connection')
        const bad = gateways.get(way)!.process.log.filter(({ level }) => level === 'error' || level === 'warn')
        assert.deepEqual(
          bad.map(({ message }) => message).filter(message => !/without TLS|upstream\.tls|policy/.test(message)),
          [],
        )
      })
    })
  }

  it('and the gateway logged in again at the broker as often', async context => {
    const sizes = await Promise.all([...loads.values()].map(async ({ ended }) => (await ended).size))
    const due = sizes.map(dueOf).reduce((sum, each) => sum + each)
    const log = readFileSync(kafka.brokers[0]!.logFile, 'utf8')
    const again = log.split('Beginning re-authentication').length - 1
    context.diagnostic(`${again} later logins at the broker, ${due} were due`)
    assert.ok(again >= due, `${again} later logins at the broker, ${due} were due`)
  })

  it('nobody becomes somebody else by logging in again at the gateway', () => refusesAnother('ends', 'alice', 'bob'))
  it('nor at the broker, through the gateway', () => refusesAnother('passes on', 'carol', 'dora'))

  for (const client of clients) {
    it(`${client} is refused, and says why, when its token is somebody else's at the next login`, {
      skip: clientMissing(client),
    }, async () => {
      const tokenSeconds = 8
      tokens.save(tokenFile, 'alice', tokenSeconds)
      const name = changing(client)
      const job: Job = {
        ...jobOf('ends', client),
        topic: name,
        group: name,
        records: 12 * perSecond,
        sasl: { mechanism: 'OAUTHBEARER', tokenFile },
      }
      const running = runJobs(client, [job], { parallel: 1, jvm, timeoutMs: 120_000 })
      await sleep(tokenSeconds * 500)
      tokens.save(tokenFile, 'bob', 3_600)
      const [report] = await running
      const said = ['failed', 'error'].flatMap(fact => report!.facts.get(fact) ?? []).join('\n')
      assert.match(said + report!.stderr, /Cannot change principals during re-authentication/)
    })
  }

  async function countedAt(way: Way): Promise<Counted> {
    const answer = await fetch(`http://${gateways.get(way)!.process.admin}/metrics`)
    const lines = (await answer.text()).split('\n').map(line => line.split(/(?=\{)| /))
    const sum = (metric: string, label = ''): number =>
      lines
        .filter(([name, labels = '']) => name === metric && labels.includes(label))
        .reduce((total, line) => total + Number(line.at(-1)), 0)
    const connections = sum('vkitm_connections_total')
    return {
      connections,
      closed: connections - sum('vkitm_connections'),
      upstreamClosed: sum('vkitm_upstream_connections_total') - sum('vkitm_upstream_connections'),
      handshakes: sum('vkitm_requests_total', 'api="SaslHandshake"'),
    }
  }

  function startLoad(way: Way): Load {
    const here = clients.filter(client => !clientMissing(client))
    const storing: Promise<void>[] = []
    const running = here.map(async client => {
      let options: RunClientOptions = { timeoutMs: (seconds + 120) * 1_000 }
      storing.push(
        new Promise(resolve => {
          options = { ...options, onStored: resolve }
        }),
      )
      return [client, await runClient(client, jobOf(way, client), options)] as const
    })
    const ended = Promise.all(running).then(reports => new Map<ClientName, ClientReport>(reports))
    const counted = countTwice(way, Promise.race([Promise.all(storing), ended]))
    // The tests that wait for them say so.
    for (const each of [ended, counted]) each.catch(() => undefined)
    return { ended, counted }
  }

  async function countTwice(way: Way, storing: Promise<unknown>): Promise<readonly [Counted, Counted]> {
    await storing
    await sleep(settledMs)
    const before = await countedAt(way)
    await sleep(seconds * 1_000 - 2 * settledMs)
    return [before, await countedAt(way)]
  }

  async function refusesAnother(way: Way, first: string, second: string): Promise<void> {
    const passwords: Readonly<Record<string, string>> = { ...front, ...back }
    const { port } = gateways.get(way)!
    const client = await connectRaw({ port, tls: { ca: readFileSync(authority.ca), servername: 'localhost' } })
    const session = (name: string) => scram(name, passwords[name]!, mechanism)
    assert.equal((await logIn(client, session(first))).errorCode, ErrorCode.NONE)
    // Kafka lets nobody log in again within a second.
    await sleep(1_100)
    assert.equal((await logIn(client, session(first))).errorCode, ErrorCode.NONE, 'as the same one')
    await sleep(1_100)
    if (way === 'ends') {
      const { errorCode, errorMessage } = await logIn(client, session(second))
      assert.equal(errorCode, ErrorCode.SASL_AUTHENTICATION_FAILED)
      assert.match(errorMessage ?? '', /Cannot change principals/)
    } else {
      // Who was passed on is asked for by name: another one does not get as far as the broker.
      await assert.rejects(logIn(client, session(second)))
    }
    await client.closed
  }

  function startBroker(): Promise<Kafka> {
    const listeners = ['ENDS', 'PASSES'].map(name => ({ name, protocol: 'SASL_PLAINTEXT' }) as const)
    const scramModule = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
    return startKafka({
      listeners: [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT' }, ...listeners],
      format: Object.entries(back).flatMap(([name, password]) => [
        '--add-scram',
        `${mechanism}=[name=${name},password=${password}]`,
      ]),
      properties: Object.fromEntries(
        listeners.flatMap(({ name }) => {
          const prefix = `listener.name.${name.toLowerCase()}`
          return [
            [`${prefix}.sasl.enabled.mechanisms`, mechanism],
            [`${prefix}.scram-sha-512.sasl.jaas.config`, scramModule],
            [`${prefix}.connections.max.reauth.ms`, String(lifetimeMs)],
          ]
        }),
      ),
      jvm: [
        '-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.security.authenticator.SaslServerAuthenticator=debug',
      ],
    })
  }

  async function start(mode: 'service' | 'passthrough', sasl?: object): Promise<Front> {
    const port = await freePortRange(2)
    const credential = { mechanism, username: 'gateway', password: back.gateway }
    const bootstrap = kafka.bootstrapOf(mode === 'service' ? 'ENDS' : 'PASSES')
    const listener = {
      name: 'clients',
      bind: `127.0.0.1:${port}`,
      advertise: `localhost:${port}`,
      expose: 'ports',
      brokerPorts: { first: port + 1, count: 1, firstId: kafka.brokers[0]!.id },
      tls: { certificate: certificate.certificate, key: certificate.key },
      ...(sasl === undefined ? {} : { sasl }),
    }
    const upstream = { bootstrap, sasl: { mode, ...credential } }
    const config = { clusters: [{ name: 'main', upstream, listeners: [listener], policy: 'none' }] }
    return { process: await startGateway({ config, env: { TMPDIR: folder } }), port }
  }

  function jobOf(way: Way, client: ClientName): Job {
    const name = `${client}-${way.replace(' ', '-')}`
    const [username, password] = way === 'ends' ? ['alice', front.alice] : ['carol', back.carol]
    return {
      bootstrap: [`localhost:${gateways.get(way)!.port}`],
      ca: authority.ca,
      topic: name,
      group: name,
      partitions,
      records: perSecond * seconds,
      firstTimestamp,
      perSecond,
      idempotent: true,
      together: true,
      producer: 'idempotent',
      consumer: 'classic',
      sasl: { mechanism, username, password },
    }
  }
})

/** Later logins until the second count; logins are renewed a little before they end. */
const dueOf = (count: number): number =>
  count * connectionsOfClient * Math.floor((seconds * 1_000 - settledMs) / lifetimeMs)
const changing = (client: ClientName): string => `${client}-changing`
