/** Real clients that log in at the gateway, and the gateway, or they, at a real broker that asks for it every few seconds. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { usersOf } from '../sasl/scram-peers.ts'
import { createAuthority } from '../support/certificates.ts'
import { type ClientName, clientMissing, type Job, runClient } from '../support/clients.ts'
import { freePortRange } from '../support/free-ports.ts'
import { type GatewayProcess, startGateway } from '../support/gateway.ts'
import { type Kafka, skipReason, startKafka } from '../support/kafka.ts'
import { complaints } from '../support/oracle.ts'

const partitions = 3
const brokerMechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512', 'PLAIN'] as const
/** At the brokers. */
const back = { gateway: 'back-gateway', carol: 'back-carol' }
/** kafkajs logs in again ten seconds before the end; with less it would do so at every request, and Kafka lets nobody do that twice in a second. */
const reauthMs = 12_000

/** Long enough that the gateway does not warn of its end: here every warning is looked at. */
const certificateDays = 60

/** Kafka refuses it, too: the same cells fail where the login is passed on to a real broker. */
const kcatNonce = "Debian's librdkafka repeats its own half of the nonce, which nobody accepts since CVE-2024-56128"

type Cell = readonly [client: ClientName, mechanism: string, front: 'ends' | 'passes on']
const cells: readonly Cell[] = (['ends', 'passes on'] as const).flatMap(front =>
  (['java', 'kcat', 'kafkajs', 'franz'] as const).flatMap(client =>
    brokerMechanisms.map((mechanism): Cell => [client, mechanism, front]),
  ),
)

describe('logins of real clients', { skip: skipReason() || clientMissing('java'), timeout: 600_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'vkitm-sasl-'))
  const authority = createAuthority(join(folder, 'certificates'), { days: certificateDays })
  const certificate = authority.server('front', ['localhost', '127.0.0.1'])
  let kafka: Kafka
  const gateways = new Map<string, { readonly process: GatewayProcess; readonly port: number }>()
  const jobs = new Map<Cell, Job>()

  before(async () => {
    kafka = await startBroker()
    writeFileSync(join(folder, 'users.json'), (await usersOf({ alice: 'front-alice' })).toText(), { mode: 0o600 })
    gateways.set(
      'ends',
      await front('SCRAM-SHA-512', 'service', {
        mechanisms: brokerMechanisms,
        users: join(folder, 'users.json'),
        sessionLifetime: `${reauthMs}ms`,
      }),
    )
    gateways.set('passes on', await front('PLAIN', 'passthrough'))
    for (const cell of cells) jobs.set(cell, jobOf(cell))
    const topics = [...jobs.values()].map(({ topic }) => topic)
    const job = { bootstrap: kafka.bootstrap, topics, partitions, replicas: 1, shareGroups: [] }
    await runClient('java', job, { task: 'prepare', jvm: [kafka.hostsFlag] })
  })
  after(async () => {
    for (const { process } of gateways.values()) await process.stop()
    await kafka?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  for (const cell of cells) {
    const [client, mechanism, where] = cell
    it(`${client} by ${mechanism}, at a gateway that ${where === 'ends' ? 'ends the login' : 'passes it on'}`, {
      skip: clientMissing(client) || (client === 'kcat' && mechanism.startsWith('SCRAM') && kcatNonce),
    }, async () => {
      const job = jobs.get(cell)!
      const report = await runClient(client, job)
      const own = client === 'kcat' ? kcatExpectations : {}
      assert.deepEqual(complaints(job, report, { doublesAfterRetry: !job.idempotent, ...own }), [])
    })
  }

  it('the gateway logged in again at the broker, and no connection was lost over it', async () => {
    const { log } = gateways.get('ends')!.process
    assert.deepEqual(
      log
        .filter(({ level }) => level === 'error' || level === 'warn')
        .map(({ message }) => message)
        .filter(message => !/plaintext|without|policy|connection closed/.test(message)),
      [],
    )
  })

  function startBroker(): Promise<Kafka> {
    const plain = Object.entries(back).map(([name, password]) => `user_${name}="${password}"`)
    const module = (name: string) => `org.apache.kafka.common.security.${name} required`
    const scrams = Object.entries(back).flatMap(([name, password]) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(kind => [
        '--add-scram',
        `${kind}=[name=${name},password=${password}]`,
      ]),
    )
    return startKafka({
      listeners: [
        { name: 'PLAINTEXT', protocol: 'PLAINTEXT' },
        { name: 'BACK', protocol: 'SASL_PLAINTEXT' },
      ],
      format: scrams,
      properties: {
        'listener.name.back.sasl.enabled.mechanisms': brokerMechanisms.join(','),
        'listener.name.back.plain.sasl.jaas.config': `${module('plain.PlainLoginModule')} ${plain.join(' ')};`,
        'listener.name.back.scram-sha-256.sasl.jaas.config': `${module('scram.ScramLoginModule')};`,
        'listener.name.back.scram-sha-512.sasl.jaas.config': `${module('scram.ScramLoginModule')};`,
        'listener.name.back.connections.max.reauth.ms': String(reauthMs),
      },
    })
  }

  async function front(mechanism: string, mode: string, sasl?: object) {
    const port = await freePortRange(2)
    const config = {
      clusters: [
        {
          name: 'main',
          upstream: {
            bootstrap: kafka.bootstrapOf('BACK'),
            sasl: { mode, mechanism, username: 'gateway', password: back.gateway },
          },
          listeners: [
            {
              name: 'clients',
              bind: `127.0.0.1:${port}`,
              advertise: `localhost:${port}`,
              expose: 'ports',
              brokerPorts: { first: port + 1, count: 1, firstId: kafka.brokers[0]!.id },
              tls: { certificate: certificate.certificate, key: certificate.key },
              ...(sasl === undefined ? {} : { sasl }),
            },
          ],
          policy: 'none',
        },
      ],
    }
    return { process: await startGateway({ config, env: { TMPDIR: folder } }), port }
  }

  function jobOf([client, mechanism, where]: Cell): Job {
    const name = `${client}-${mechanism}-${where.replace(' ', '-')}`.toLowerCase()
    const [username, password] = where === 'ends' ? ['alice', 'front-alice'] : ['carol', back.carol]
    return {
      bootstrap: [`localhost:${gateways.get(where)!.port}`],
      ca: authority.ca,
      topic: `topic-${name}`,
      group: `group-${name}`,
      partitions,
      records: 500,
      firstTimestamp: Date.now() - 3_600_000,
      perSecond: 0,
      idempotent: client !== 'java',
      ...(client === 'java' ? { producer: 'plain', consumer: 'classic' } : {}),
      sasl: { mechanism, username, password },
    }
  }
})

const base64 = (text: string) => Buffer.from(text).toString('base64')
const kcatExpectations = {
  headers: [
    ['n', base64('kcat')],
    ['trace', base64('same')],
  ],
  timestampsBetween: [0, Number.MAX_SAFE_INTEGER],
  positionsOnly: true,
} as const
