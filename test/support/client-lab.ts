// Three brokers, the gateway in front of them, the tap in front of the gateway: where real clients are let loose.
// With VKITM_TEST_DIRECT=1 clients talk to the brokers themselves: is it the gateway, or the client?
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Authority, type Certificate, createAuthority } from './certificates.ts'
import type { ClientCase } from './client-cases.ts'
import { type ClientReport, type Job, type RunClientOptions, runClient } from './clients.ts'
import { freePortRange } from './free-ports.ts'
import { type GatewayProcess, startGateway } from './gateway.ts'
import { type Kafka, startKafka } from './kafka.ts'
import { LeakWatch } from './leak-watch.ts'
import { complaints } from './oracle.ts'
import { startTap, type Tap } from './tap.ts'

export const isDirect = process.env.VKITM_TEST_DIRECT === '1'

/** Names that exist nowhere else, so that a leak of them can be seen. */
const brokerHost = isDirect ? 'localhost' : 'kafka-node.upstream.test'
const listenerName = 'BACKSTAGE'
const clientHost = 'localhost'
const partitions = 6
const hourMs = 3_600_000

export interface Lab {
  readonly kafka: Kafka
  /** Undefined where clients talk to the brokers. */
  readonly gateway: GatewayProcess | undefined
  readonly watch: LeakWatch
  /** Whom clients are told to talk to, by broker id. */
  readonly advertised: ReadonlyMap<number, readonly [host: string, port: number]>
  jobFor(clientCase: ClientCase, changes?: Partial<Job>): Job
  /** Creates the topics of jobs, at the brokers. */
  prepare(jobs: readonly Job[]): Promise<void>
  run(clientCase: ClientCase, job: Job, options?: RunClientOptions): Promise<LabRun>
  /** What the tap found and could not make out. */
  tapFailures(): readonly string[]
  close(): Promise<void>
}

export interface LabRun {
  readonly report: ClientReport
  readonly complaints: readonly string[]
}

export async function openLab(properties: Readonly<Record<string, string>> = {}): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), 'vkitm-lab-'))
  const closers: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const authority = createAuthority(join(folder, 'certificates'))
    const kafka = await startBrokers(authority, properties)
    closers.push(() => kafka.stop())
    const watch = new LeakWatch({
      texts: [brokerHost, listenerName],
      ports: kafka.brokers.flatMap(({ port, controllerPort }) => [port, controllerPort]),
    })
    const front = isDirect ? undefined : await startFront({ folder, authority, kafka, watch })
    if (front !== undefined) closers.push(() => front.stop())
    return labOf({ kafka, authority, watch, front, close })
  } catch (error) {
    await close()
    throw error
  }
}

function startBrokers(authority: Authority, properties: Readonly<Record<string, string>>): Promise<Kafka> {
  return startKafka({
    brokers: 3,
    host: brokerHost,
    listeners: [{ name: listenerName, protocol: 'SSL' }],
    tls: authority.server('brokers', [brokerHost, '127.0.0.1']),
    properties,
  })
}

interface Front {
  readonly gateway: GatewayProcess
  readonly tap: Tap
  /** The tap's bootstrap port; those of the brokers follow. */
  readonly port: number
  stop(): Promise<void>
}

interface FrontOptions {
  readonly folder: string
  readonly authority: Authority
  readonly kafka: Kafka
  readonly watch: LeakWatch
}

async function startFront({ folder, authority, kafka, watch }: FrontOptions): Promise<Front> {
  const certificate = authority.server('front', [clientHost, '127.0.0.1'])
  const count = kafka.brokers.length + 1
  const [behind, port] = [await freePortRange(count), await freePortRange(count)]
  const config = gatewayConfig({ kafka, certificate, behind, port })
  const gateway = await startGateway({ config, hosts: [brokerHost], env: { TMPDIR: folder } })
  const ports = Array.from({ length: count }, (_, index) => ({ listen: port + index, connect: behind + index }))
  const tap = await startTap({ certificate, ports, watch })
  const stop = async () => {
    await tap.close()
    await gateway.stop()
  }
  return { gateway, tap, port, stop }
}

function gatewayConfig(options: { kafka: Kafka; certificate: Certificate; behind: number; port: number }): object {
  const { kafka, certificate, behind, port } = options
  const firstId = kafka.brokers[0]!.id
  const range = (first: number) => ({ first, count: kafka.brokers.length, firstId })
  return {
    clusters: [
      {
        name: 'main',
        upstream: {
          bootstrap: kafka.brokers.map(broker => `${brokerHost}:${broker.port}`),
          tls: { ca: certificate.ca },
        },
        listeners: [
          {
            name: 'clients',
            bind: `127.0.0.1:${behind}`,
            advertise: `${clientHost}:${port}`,
            expose: 'ports',
            brokerPorts: range(behind + 1),
            advertiseBrokerPorts: range(port + 1),
            tls: { certificate: certificate.certificate, key: certificate.key },
          },
        ],
        policy: 'none',
      },
    ],
  }
}

interface LabParts {
  readonly kafka: Kafka
  readonly authority: Authority
  readonly watch: LeakWatch
  readonly front: Front | undefined
  readonly close: () => Promise<void>
}

function labOf({ kafka, authority, watch, front, close }: LabParts): Lab {
  const advertised = new Map(
    kafka.brokers.map(({ id, port }, index) => [id, [clientHost, front === undefined ? port : front.port + 1 + index]]),
  ) as ReadonlyMap<number, readonly [string, number]>
  const bootstrap = front === undefined ? kafka.bootstrap : [`${clientHost}:${front.port}`]
  let jobs = 0
  return {
    kafka,
    gateway: front?.gateway,
    watch,
    advertised,
    jobFor({ client, idempotent, java }, changes = {}) {
      const name = `${client}-${++jobs}`
      return {
        bootstrap,
        ca: authority.ca,
        topic: `topic-${name}`,
        group: `group-${name}`,
        partitions,
        records: 10_000,
        // In the past, so that nobody's clock can stand in for it.
        firstTimestamp: Date.now() - hourMs,
        perSecond: 0,
        idempotent,
        ...java,
        ...changes,
      }
    },
    async prepare(prepared) {
      const shareGroups = prepared.filter(({ consumer }) => consumer === 'share').map(({ group }) => group)
      const connection = { bootstrap: kafka.bootstrap, ca: authority.ca }
      const topics = { topics: prepared.map(({ topic }) => topic), partitions, replicas: kafka.brokers.length }
      await runClient('java', { ...connection, ...topics, shareGroups }, { task: 'prepare', jvm: [kafka.hostsFlag] })
    },
    async run({ client, expected = {} }, job, options) {
      const started = Date.now()
      const report = await runClient(client, job, options)
      const own = expected.ownTimestamps ? { timestampsBetween: [started, Date.now()] as const } : {}
      return { report, complaints: complaints(job, report, { ...expected, ...own }) }
    },
    tapFailures: () => front?.tap.failures ?? [],
    close,
  }
}
