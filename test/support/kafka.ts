// Real Kafka clusters for the tests: one or three nodes on loopback, started in seconds, killed and restarted at will.
import type { ChildProcess } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { newClusterId } from '../../src/cli/demo/cluster-id.ts'
import { cachedFolder, cacheKey } from './cache-folder.ts'
import { end, hasEnded, run, start } from './child-process.ts'
import { freePorts } from './free-ports.ts'
import { frugal, hasMaven, javaMissing, privateHosts } from './java.ts'
import { clusterSeenAt, type KnownCluster } from './kafka-probe.ts'
import { type Node, serverProperties } from './kafka-properties.ts'
import { classPath, hasArtifacts } from './maven.ts'

export type KafkaVersion = '4.4.0' | '3.9.1'

export interface KafkaListener {
  /** As in `listeners=`: upper case. */
  readonly name: string
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
  /** What clients of this listener are told, by broker id; default: the cluster's `host` and the port it listens on. */
  readonly advertise?: (brokerId: number) => { readonly host: string; readonly port: number }
}

/** PEM files of the brokers' SSL listeners. */
export interface BrokerTls {
  /** Chain, leaf first. */
  readonly certificate: string
  readonly key: string
  readonly ca: string
  readonly clientAuth?: 'none' | 'requested' | 'required'
}

export interface KafkaOptions {
  readonly brokers?: 1 | 3
  readonly version?: KafkaVersion
  /** Id of the first broker; the others follow. */
  readonly firstId?: number
  /** The first one is also what brokers talk to each other on. Default: one PLAINTEXT listener. */
  readonly listeners?: readonly KafkaListener[]
  readonly tls?: BrokerTls
  /** Name that brokers advertise; other programs resolve it with `hostsFlag` (JVM) or hosts-preload.mjs (Node). */
  readonly host?: string
  readonly properties?: Readonly<Record<string, string>>
  /** More arguments for `kafka-storage format`, such as `--add-scram …`. */
  readonly format?: readonly string[]
  readonly heapMb?: number
  readonly jvm?: readonly string[]
  /** Where the brokers' data goes; default: the system's temporary folder. */
  readonly folder?: string
}

export interface Broker {
  readonly id: number
  /** The name the broker advertises. It listens on 127.0.0.1. */
  readonly host: string
  /** Of the first listener. */
  readonly port: number
  readonly ports: Readonly<Record<string, number>>
  readonly controllerPort: number
  readonly pid: number
  readonly alive: boolean
  readonly logFile: string
  kill(signal?: NodeJS.Signals): Promise<void>
  /** What this broker knows of the cluster. */
  cluster(): Promise<KnownCluster>
  /** Starts a killed broker again, on its data and its ports, and waits until the cluster counts it. */
  restart(): Promise<void>
}

export interface Kafka {
  /** `127.0.0.1:port` of every broker, first listener. */
  readonly bootstrap: readonly string[]
  readonly brokers: readonly Broker[]
  readonly host: string
  /** JVM flag with which Java programs resolve `host`. */
  readonly hostsFlag: string
  bootstrapOf(listener: string): string[]
  /** Waits until every replica of every partition is in sync, so that the next broker may die. */
  inSync(): Promise<void>
  stop(): Promise<void>
}

const readyTimeoutMs = 90_000

function artifacts(version: KafkaVersion): string[] {
  return [`org.apache.kafka:kafka_2.13:${version}`, 'org.slf4j:slf4j-simple:1.7.36']
}

/** Why real Kafka cannot run on this machine. Never a reason under CI: there it must run. */
export function skipReason(version: KafkaVersion = '4.4.0'): string | false {
  if (process.env.CI === 'true') return false
  const missing = javaMissing()
  if (missing !== undefined) return missing
  return hasArtifacts(artifacts(version)) || hasMaven() ? false : 'no mvn on the path to bring Apache Kafka'
}

export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const { brokers: count = 1, firstId = 1, host = '127.0.0.1', version = '4.4.0' } = options
  const listeners = options.listeners ?? [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT' }]
  const jars = await classPath(artifacts(version))
  const folder = mkdtempSync(join(options.folder ?? tmpdir(), 'vkitm-kafka-'))
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', removeFolder)

  const nodes = await layOut({ folder, firstId, count, listeners })
  const hostsFlag = privateHosts(join(folder, 'hosts'), [host])
  const formatted = await formattedFolder(version, jars, options.format ?? [])
  const keystore = options.tls && writeKeystore(folder, options.tls)
  const flags = [...frugal(options.heapMb ?? 512), hostsFlag, ...(options.jvm ?? [])]
  const clusterId = newClusterId()
  const brokers = nodes.map(node => {
    cpSync(formatted, join(node.folder, 'data'), { recursive: true })
    writeFileSync(join(node.folder, 'data', 'meta.properties'), metaProperties(clusterId, node.id))
    const file = join(node.folder, 'server.properties')
    const extra = options.properties ?? {}
    writeFileSync(file, serverProperties({ node, nodes, host, listeners, keystore, tls: options.tls, extra }))
    return new KafkaProcess({ node, host, listener: listeners[0]!, args: [...flags, '-cp', jars, 'kafka.Kafka', file] })
  })
  const stop = async () => {
    // The data goes away with the cluster, and a controlled shutdown of a whole quorum waits for itself.
    await Promise.all(brokers.map(broker => broker.kill()))
    removeFolder()
    process.off('exit', removeFolder)
  }
  try {
    for (const broker of brokers) broker.launch()
    await Promise.all(brokers.map(broker => broker.ready(nodes.map(({ id }) => id))))
  } catch (error) {
    await stop()
    throw error
  }
  const bootstrapOf = (listener: string) => brokers.map(({ ports }) => `127.0.0.1:${ports[listener]}`)
  const inSync = () => waitInSync(brokers)
  return { bootstrap: bootstrapOf(listeners[0]!.name), brokers, host, hostsFlag, bootstrapOf, inSync, stop }
}

async function waitInSync(brokers: readonly Broker[]): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs
  const behind = async () => {
    const { partitions } = await brokers.find(({ alive }) => alive)!.cluster()
    return partitions.filter(({ replicas, inSync }) => inSync.length < replicas.length)
  }
  for (let late = await behind(); late.length > 0; late = await behind()) {
    if (Date.now() > deadline) throw new Error(`not in sync: ${JSON.stringify(late)}`)
    await sleep(100)
  }
}

class KafkaProcess implements Broker {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly ports: Readonly<Record<string, number>>
  readonly controllerPort: number
  readonly logFile: string
  readonly #args: readonly string[]
  readonly #tls: boolean
  #child: ChildProcess | undefined

  constructor(options: { node: Node; host: string; listener: KafkaListener; args: readonly string[] }) {
    const { node, host, listener, args } = options
    this.id = node.id
    this.host = host
    this.ports = node.ports
    this.controllerPort = node.controllerPort
    this.port = node.ports[listener.name]!
    this.logFile = join(node.folder, 'broker.log')
    this.#args = args
    this.#tls = listener.protocol.endsWith('SSL')
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error(`broker ${this.id} was never started`)
    return pid
  }

  get alive(): boolean {
    return this.#child !== undefined && !hasEnded(this.#child)
  }

  launch(): void {
    const log = openSync(this.logFile, 'a')
    this.#child = start('java', this.#args, { stdio: ['ignore', log, log] })
    closeSync(log)
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#child !== undefined) await end(this.#child, signal)
  }

  async restart(): Promise<void> {
    if (this.alive) throw new Error(`broker ${this.id} is still running`)
    this.launch()
    await this.ready([this.id])
  }

  /** Waits until this broker serves and counts `ids` among the living. */
  async ready(ids: readonly number[]): Promise<void> {
    const deadline = Date.now() + readyTimeoutMs
    while (Date.now() < deadline) {
      if (!this.alive) throw new Error(`broker ${this.id} ended:\n${this.#logTail()}`)
      const known = await this.#known()
      if (ids.every(id => known.includes(id))) return
      await sleep(100)
    }
    throw new Error(`broker ${this.id} was not ready within ${readyTimeoutMs} ms:\n${this.#logTail()}`)
  }

  async #known(): Promise<readonly number[]> {
    try {
      const { brokers } = await this.cluster()
      return brokers.map(({ id }) => id)
    } catch {
      // Not listening yet, or not answering yet: `ready` asks again until its deadline.
      return []
    }
  }

  cluster(): Promise<KnownCluster> {
    return clusterSeenAt({ host: '127.0.0.1', port: this.port, tls: this.#tls, timeoutMs: 5_000 })
  }

  #logTail(): string {
    return readFileSync(this.logFile, 'utf8').trim().split('\n').slice(-30).join('\n')
  }
}

async function layOut(options: {
  folder: string
  firstId: number
  count: number
  listeners: readonly KafkaListener[]
}): Promise<Node[]> {
  const { folder, firstId, count, listeners } = options
  const ports = await freePorts(count * (listeners.length + 1))
  return Array.from({ length: count }, (_, index) => {
    const id = firstId + index
    const nodeFolder = join(folder, `broker-${id}`)
    mkdirSync(nodeFolder)
    const controllerPort = ports.pop()!
    return {
      id,
      folder: nodeFolder,
      controllerPort,
      ports: Object.fromEntries(listeners.map(({ name }) => [name, ports.pop()!])),
    }
  })
}

/** What `kafka-storage format` writes is the same for every node but for its ids: made once, then copied. */
async function formattedFolder(version: KafkaVersion, jars: string, format: readonly string[]): Promise<string> {
  const folder = await cachedFolder(cacheKey(`kafka-format-${version}`, ...format), async draft => {
    const file = join(draft, 'format.properties')
    const data = join(draft, 'data')
    writeFileSync(
      file,
      [
        'process.roles=broker,controller',
        'node.id=1',
        'controller.quorum.voters=1@127.0.0.1:1',
        'controller.listener.names=CONTROLLER',
        'listeners=PLAINTEXT://127.0.0.1:2,CONTROLLER://127.0.0.1:1',
        `log.dirs=${data}`,
      ].join('\n'),
    )
    const args = ['format', '-t', newClusterId(), '-c', file, ...format]
    await run('java', [...frugal(256), '-cp', jars, 'kafka.tools.StorageTool', ...args])
    rmSync(join(data, 'meta.properties'))
  })
  return join(folder, 'data')
}

function metaProperties(clusterId: string, id: number): string {
  const directoryId = newClusterId()
  return `version=1\ncluster.id=${clusterId}\nnode.id=${id}\ndirectory.id=${directoryId}\n`
}

/** Kafka wants key (PKCS#8) and chain in one PEM file. */
function writeKeystore(folder: string, tls: BrokerTls): string {
  const file = join(folder, 'keystore.pem')
  const key = createPrivateKey(readFileSync(tls.key)).export({ type: 'pkcs8', format: 'pem' })
  writeFileSync(file, `${key}${readFileSync(tls.certificate, 'utf8')}`, { mode: 0o600 })
  return file
}
