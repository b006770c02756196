/**
 * A Kafka cluster in memory: several nodes in one process, each at a port of its own, for the demo and for fast tests.
 * It keeps no file, knows no security but TLS, and can be told to misbehave. See handlers/ for what each API leaves out.
 */
import { randomBytes } from 'node:crypto'
import type { TlsOptions } from 'node:tls'
import type { ApiKey } from '../protocol/api-key.ts'
import { type ClusterSettings, ClusterState } from './cluster-state.ts'
import { type ServedApis, servedVersions } from './handler-table.ts'
import { type Misbehaviour, Misbehaviours } from './misbehaviour.ts'
import { EmbeddedNode } from './node.ts'
import { Seen } from './seen.ts'
import type { NewTopic, Topic } from './topics.ts'

export interface HostAndPort {
  readonly host: string
  readonly port: number
}

export interface EmbeddedClusterOptions extends Partial<ClusterSettings> {
  /** How many to begin with. */
  readonly nodes?: number
  /** Id of the first node; the others follow. */
  readonly firstId?: number
  /** Where every node listens. */
  readonly host?: string
  /** What clients are told of a node that listens at `port`; default: where it listens. */
  readonly advertise?: (nodeId: number, port: number) => HostAndPort
  /** Every node listens with TLS; `requestCert` asks clients for theirs. */
  readonly tls?: TlsOptions
  /** Play an older cluster: versions by API name, or APIs that are not there. */
  readonly versions?: ServedApis
  /** Requests kept in `seen`. */
  readonly seenMax?: number
}

const defaults: Omit<ClusterSettings, 'clusterId'> = {
  autoCreateTopics: false,
  defaultPartitions: 3,
  messageBytesMax: 1_048_588,
  partitionBytesMax: 256 * 1024 * 1024,
  sessionTimeoutMinMs: 6_000,
  sessionTimeoutMaxMs: 1_800_000,
  initialRebalanceDelayMs: 0,
  now: Date.now,
}

export class EmbeddedCluster {
  /** What reached the nodes. */
  readonly seen: Seen
  readonly #options: EmbeddedClusterOptions
  readonly #state: ClusterState
  readonly #misbehaviours = new Misbehaviours()
  readonly #nodes = new Map<number, EmbeddedNode>()
  #connections = 0

  constructor(options: EmbeddedClusterOptions) {
    this.#options = options
    this.seen = new Seen(options.seenMax ?? 10_000)
    const clusterId = randomBytes(16).toString('base64url')
    this.#state = new ClusterState({ clusterId, ...defaults, ...options }, servedVersions(options.versions ?? {}))
  }

  get clusterId(): string {
    return this.#state.settings.clusterId
  }

  /** By id. */
  get nodes(): readonly EmbeddedNode[] {
    return this.#state.liveNodes.map(id => this.node(id))
  }

  /** `host:port` of every node, as it listens. */
  get bootstrap(): readonly string[] {
    return this.nodes.map(({ host, port }) => `${host}:${port}`)
  }

  node(id: number): EmbeddedNode {
    return known(this.#nodes.get(id), `node ${id}`)
  }

  /** Replicas that the node held before it left are its again. */
  async addNode(id: number, port = 0): Promise<EmbeddedNode> {
    const { host = '127.0.0.1', tls, advertise = () => undefined } = this.#options
    const context = { cluster: this.#state, seen: this.seen, misbehaviours: this.#misbehaviours }
    const nextConnection = () => ++this.#connections
    const node = await EmbeddedNode.start({ id, host, port, tls, context, nextConnection })
    const advertised = advertise(id, node.port) ?? { host, port: node.port }
    this.#nodes.set(id, node)
    this.#state.brokers.set(id, { nodeId: id, host: advertised.host, port: advertised.port, rack: null })
    this.#state.topics.elect()
    return node
  }

  /** Its leaders give way to other replicas at once, its connections end. */
  async removeNode(id: number): Promise<void> {
    const node = this.node(id)
    this.#nodes.delete(id)
    this.#state.brokers.delete(id)
    this.#state.topics.elect()
    await node.close()
  }

  /** The same node at another port; it stays the leader of what it led. */
  async moveNode(id: number, port = 0): Promise<EmbeddedNode> {
    const before = this.node(id)
    const node = await this.addNode(id, port)
    await before.close()
    return node
  }

  createTopic(name: string, options: Partial<NewTopic> = {}): Topic {
    const { defaultPartitions: partitions } = this.#state.settings
    return this.#state.topics.create(name, {
      partitions,
      replicationFactor: this.#state.defaultReplicationFactor,
      ...options,
    })
  }

  topic(name: string): Topic {
    return known(this.#state.topics.byName(name), `topic ${name}`)
  }

  deleteTopic(name: string): void {
    this.#state.topics.delete(this.topic(name))
    this.#state.groups.topicDeleted(name)
  }

  /** The leader changes for good: clients that ask the old one are told so. */
  moveLeader(topic: string, partition: number, nodeId: number): void {
    known(this.topic(topic).partitions[partition], `partition ${partition} of ${topic}`).lead(nodeId)
  }

  coordinatorOf(key: string): EmbeddedNode {
    return this.node(known(this.#state.coordinatorOf(key), 'a live node').nodeId)
  }

  /** @returns what ends it. */
  misbehave<Key extends ApiKey>(misbehaviour: Misbehaviour<Key>): () => void {
    return this.#misbehaviours.add(misbehaviour)
  }

  async stop(): Promise<void> {
    this.#state.groups.close()
    await Promise.all(Array.from(this.#nodes.values(), node => node.close()))
  }
}

export async function startEmbeddedCluster(options: EmbeddedClusterOptions = {}): Promise<EmbeddedCluster> {
  const { nodes = 3, firstId = 1 } = options
  const cluster = new EmbeddedCluster(options)
  try {
    for (let id = firstId; id < firstId + nodes; id++) await cluster.addNode(id)
  } catch (error) {
    await cluster.stop()
    throw error
  }
  return cluster
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new RangeError(`this cluster does not have ${what}`)
  return value
}
