// One broker for everyone. It has a listener for each proxy, which advertises that proxy's address: clients find their
// way back through the proxy they came by, though a proxy of TCP rewrites nothing.
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePortRange } from '../test/support/free-ports.ts'
import { type Kafka, type KafkaListener, startKafka } from '../test/support/kafka.ts'
import { type KafkaTool, runTool } from '../test/support/kafka-tools.ts'
import { type Certificate, issueCertificate } from './certificate.ts'
import type { Endpoint } from './connection.ts'
import { type Contestant, type ContestantName, expectedCipher } from './contestants.ts'
import { ProxyProcess } from './proxy-process.ts'
import type { Row } from './row.ts'
import type { Scale } from './scale.ts'

export const kafkaVersion = '4.4.0'
/** The JVM's second compiler is off in tests, where processes live for seconds. */
const jvm = ['-XX:TieredStopAtLevel=4']
const portsEach = 2
const memoryFolder = '/dev/shm'
const memoryNeeded = 4 * 2 ** 30

/** The broker's listener behind each proxy. vkitm rewrites addresses, so what it reaches is advertised as it is. */
const listenerNames: Readonly<Record<ContestantName, string>> = {
  HAProxy: 'HAPROXY',
  nginx: 'NGINX',
  'node-pipe': 'PIPE',
  'node-floor': 'FLOOR',
  vkitm: 'PLAINTEXT',
}

const properties = {
  // A response of 100 MiB is one of the questions; 55 MiB is the broker's default.
  'fetch.max.bytes': String(256 * 2 ** 20),
  'ssl.cipher.suites': expectedCipher,
  'log.retention.check.interval.ms': '2000',
  'log.segment.delete.delay.ms': '1000',
}

export class Testbed {
  readonly scale: Scale
  readonly #folder: string
  readonly #kafka: Kafka
  readonly #certificate: Certificate
  readonly #ports: ReadonlyMap<ContestantName, number>
  readonly #topics = new Set<string>()

  private constructor(options: {
    scale: Scale
    folder: string
    kafka: Kafka
    certificate: Certificate
    ports: ReadonlyMap<ContestantName, number>
  }) {
    this.scale = options.scale
    this.#folder = options.folder
    this.#kafka = options.kafka
    this.#certificate = options.certificate
    this.#ports = options.ports
  }

  static async start(names: readonly ContestantName[], scale: Scale): Promise<Testbed> {
    const folder = mkdtempSync(join(tmpdir(), 'vkitm-bench-'))
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    const certificate = await issueCertificate(folder)
    const first = await freePortRange(names.length * portsEach)
    const ports = new Map(names.map((name, index) => [name, first + index * portsEach]))
    const tls = { certificate: certificate.certificate, key: certificate.key, ca: certificate.certificate }
    const kafka = await startKafka({
      version: kafkaVersion,
      listeners: listeners(ports),
      tls,
      properties,
      jvm,
      folder: dataFolder(),
    })
    writeFileSync(join(folder, 'plaintext.properties'), '')
    writeFileSync(
      join(folder, 'tls.properties'),
      `security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=${certificate.certificate}\n`,
    )
    return new Testbed({ scale, folder, kafka, certificate, ports })
  }

  /** The broker's own TLS listener. */
  get direct(): Endpoint {
    return { port: this.#kafka.brokers[0]!.ports.TLS!, ca: this.#certificate.ca }
  }

  startProxy(contestant: Contestant, { limits, rules }: Pick<Row, 'limits' | 'rules'>): Promise<ProxyProcess> {
    const broker = this.#kafka.brokers[0]!
    const folder = join(this.#folder, contestant.name)
    mkdirSync(folder, { recursive: true })
    return ProxyProcess.start(contestant, {
      folder,
      certificate: this.#certificate,
      port: this.#ports.get(contestant.name)!,
      brokerId: broker.id,
      brokerPort: broker.ports[listenerNames[contestant.name]]!,
      ...(limits && { limits }),
      ...(rules && { rules }),
    })
  }

  /** A tool of Kafka's as a TLS client of `endpoint`; what it printed. */
  async tool(tool: KafkaTool, endpoint: Endpoint, args: readonly string[]): Promise<string> {
    const address = ['--bootstrap-server', `localhost:${endpoint.port}`]
    return this.#run(tool, [...address, '--command-config', join(this.#folder, 'tls.properties'), ...args])
  }

  /** Fills a topic past all proxies. */
  async preload(topic: string, args: readonly string[]): Promise<void> {
    await this.#run('ProducerPerformance', [...this.#plaintext, '--topic', topic, ...args])
  }

  /** Makes the topic, of one partition, where it is not there yet; false where it was. */
  async ensureTopic(topic: string, config: Readonly<Record<string, string>> = {}): Promise<boolean> {
    if (this.#topics.has(topic)) return false
    const settings = Object.entries(config).flatMap(([key, value]) => ['--config', `${key}=${value}`])
    await this.#run('TopicCommand', [...this.#plaintext, '--create', '--topic', topic, ...settings])
    this.#topics.add(topic)
    return true
  }

  async stop(): Promise<void> {
    await this.#kafka.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #plaintext(): string[] {
    const address = ['--bootstrap-server', this.#kafka.bootstrap[0]!]
    return [...address, '--command-config', join(this.#folder, 'plaintext.properties')]
  }

  async #run(tool: KafkaTool, args: readonly string[]): Promise<string> {
    const { stdout } = await runTool(tool, args, { jvm, heapMb: 384, timeoutMs: 300_000 })
    return stdout
  }
}

/** In memory where there is room: the disk is no part of any question, and would answer for all of them. */
function dataFolder(): string {
  if (!existsSync(memoryFolder)) return tmpdir()
  const { bavail, bsize } = statfsSync(memoryFolder)
  return bavail * bsize >= memoryNeeded ? memoryFolder : tmpdir()
}

function listeners(ports: ReadonlyMap<ContestantName, number>): KafkaListener[] {
  const behindProxies = [...ports]
    .filter(([name]) => name !== 'vkitm')
    .map(([name, port]): KafkaListener => {
      return { name: listenerNames[name], protocol: 'PLAINTEXT', advertise: () => ({ host: 'localhost', port }) }
    })
  return [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT' }, { name: 'TLS', protocol: 'SSL' }, ...behindProxies]
}
