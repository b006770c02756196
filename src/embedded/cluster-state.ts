/** What all nodes of an embedded cluster share: there is one truth, and every node answers from it. */

import { crc32c } from '../records/crc32c.ts'
import { Groups } from './groups.ts'
import type { VersionRange } from './handler.ts'
import { type Topic, Topics } from './topics.ts'

export interface BrokerAddress {
  readonly nodeId: number
  /** As advertised to clients. */
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface ClusterSettings {
  readonly clusterId: string
  readonly autoCreateTopics: boolean
  readonly defaultPartitions: number
  readonly messageBytesMax: number
  readonly partitionBytesMax: number
  readonly sessionTimeoutMinMs: number
  readonly sessionTimeoutMaxMs: number
  readonly initialRebalanceDelayMs: number
  readonly now: () => number
}

const replicasMax = 3

export class ClusterState {
  readonly settings: ClusterSettings
  /** What ApiVersions says; by API key. */
  readonly served: ReadonlyMap<number, VersionRange>
  /** The nodes that live, by id. */
  readonly brokers = new Map<number, BrokerAddress>()
  readonly topics: Topics
  readonly groups: Groups
  #nextProducerId = 1000n

  constructor(settings: ClusterSettings, served: ReadonlyMap<number, VersionRange>) {
    this.settings = settings
    this.served = served
    this.topics = new Topics(() => this.liveNodes, settings.partitionBytesMax)
    this.groups = new Groups(settings.initialRebalanceDelayMs)
  }

  get liveNodes(): number[] {
    return [...this.brokers.keys()].sort((one, other) => one - other)
  }

  /** −1 where no node lives. */
  get controllerId(): number {
    return this.liveNodes[0] ?? -1
  }

  get defaultReplicationFactor(): number {
    return Math.min(replicasMax, this.brokers.size)
  }

  /** Every node weighs every key: who joins or leaves moves no other coordinator than its own. */
  coordinatorOf(key: string): BrokerAddress | undefined {
    const weighed = Array.from(this.brokers.values(), broker => {
      return { broker, weight: crc32c(Buffer.from(`${broker.nodeId} ${key}`, 'utf8')) }
    })
    return weighed.sort((one, other) => other.weight - one.weight)[0]?.broker
  }

  nextProducerId(): bigint {
    return this.#nextProducerId++
  }

  createDefaultTopic(name: string): Topic {
    const { defaultPartitions: partitions } = this.settings
    return this.topics.create(name, { partitions, replicationFactor: this.defaultReplicationFactor })
  }
}
