/** The topics of the cluster, by name and by id, and which node leads which partition. */
import { randomBytes } from 'node:crypto'
import { noLeader, Partition } from './partition.ts'

export interface Topic {
  readonly name: string
  readonly id: string
  readonly partitions: Partition[]
  readonly configs: ReadonlyMap<string, string>
}

export interface NewTopic {
  readonly partitions: number
  readonly replicationFactor: number
  readonly configs?: ReadonlyMap<string, string>
  /** Replicas by partition; overrides the two numbers. */
  readonly assignments?: readonly (readonly number[])[]
}

const nameLengthMax = 249

export function isTopicName(name: string): boolean {
  return name !== '.' && name !== '..' && name.length <= nameLengthMax && /^[a-zA-Z0-9._-]+$/.test(name)
}

export class Topics {
  readonly #liveNodes: () => readonly number[]
  readonly #partitionBytesMax: number
  readonly #byName = new Map<string, Topic>()
  readonly #byId = new Map<string, Topic>()
  /** Topics ever created: moves the first leader on, so that leaders are spread over the nodes. */
  #created = 0

  constructor(liveNodes: () => readonly number[], partitionBytesMax: number) {
    this.#liveNodes = liveNodes
    this.#partitionBytesMax = partitionBytesMax
  }

  all(): Topic[] {
    return [...this.#byName.values()]
  }

  byName(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  byId(id: string): Topic | undefined {
    return this.#byId.get(id)
  }

  create(name: string, { partitions, replicationFactor, configs = new Map(), assignments }: NewTopic): Topic {
    const topic: Topic = { name, id: randomBytes(16).toString('base64url'), partitions: [], configs }
    const shift = this.#created++
    const replicas = assignments ?? this.#spread(partitions, replicationFactor, shift)
    for (const each of replicas) this.#addPartition(topic, each)
    this.#byName.set(name, topic)
    this.#byId.set(topic.id, topic)
    return topic
  }

  delete(topic: Topic): void {
    this.#byName.delete(topic.name)
    this.#byId.delete(topic.id)
    for (const partition of topic.partitions) partition.changed()
  }

  grow(topic: Topic, count: number, assignments?: readonly (readonly number[])[]): void {
    const before = topic.partitions.length
    const added = count - before
    const replicas = assignments ?? this.#spread(added, topic.partitions[0]!.replicas.length, before)
    for (const each of replicas) this.#addPartition(topic, each)
  }

  /** Leaders that are gone give way to the first replica that lives; those that lead live on. */
  elect(): void {
    const live = new Set(this.#liveNodes())
    for (const { partitions } of this.#byName.values()) {
      for (const partition of partitions) {
        if (live.has(partition.leaderId)) continue
        partition.lead(partition.replicas.find(id => live.has(id)) ?? noLeader)
      }
    }
  }

  #addPartition(topic: Topic, replicas: readonly number[]): void {
    topic.partitions.push(new Partition(topic.partitions.length, replicas, this.#partitionBytesMax))
  }

  #spread(partitions: number, replicationFactor: number, shift: number): number[][] {
    const nodes = this.#liveNodes()
    return Array.from({ length: partitions }, (_, index) =>
      Array.from({ length: replicationFactor }, (_, replica) => nodes[(index + replica + shift) % nodes.length]!),
    )
  }
}
