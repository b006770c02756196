/** A small Kafka client: finds leaders, produces to them, consumes from them, and remembers every address it was told. */
import { setTimeout as delay } from 'node:timers/promises'
import { UpstreamError } from '../../errors.ts'
import { ApiKey } from '../../protocol/api-key.ts'
import type { ResponseByKey } from '../../protocol/codec.ts'
import { zeroUuid } from '../../protocol/empty.ts'
import { ErrorCode, errorName } from '../../protocol/error-code.ts'
import { createTopicsRequestDefaults } from '../../protocol/generated/create-topics-request.ts'
import { describeClusterRequestDefaults } from '../../protocol/generated/describe-cluster-request.ts'
import { findCoordinatorRequestDefaults } from '../../protocol/generated/find-coordinator-request.ts'
import { metadataRequestDefaults } from '../../protocol/generated/metadata-request.ts'
import { type BatchRecord, readRecords } from '../../records/read-records.ts'
import { completeBatches } from '../../records/record-batch.ts'
import type { NewRecord } from '../../records/write-batch.ts'
import { Span } from '../../wire/span.ts'
import { DemoConnection, type Target } from './demo-connection.ts'
import { type DescribedTopic, fetchQuestion, produceQuestion } from './topic-questions.ts'

export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

const patienceMs = 15_000
const pauseMs = 100
const fetchWaitMs = 500
const groupKey = 0

export class DemoClient {
  readonly #bootstrap: Target
  readonly #connections = new Map<string, DemoConnection>()
  readonly #closed: DemoConnection[] = []
  #told: BrokerAddress[] = []

  constructor(bootstrap: Target) {
    this.#bootstrap = bootstrap
  }

  /** Where the client was sent by any answer so far. */
  get addressesTold(): readonly BrokerAddress[] {
    return this.#told
  }

  /** Every byte that reached the client, after decryption. */
  get received(): Buffer {
    return Buffer.concat([...this.#connections.values(), ...this.#closed].flatMap(({ received }) => received))
  }

  /** Is every connection it made still open? */
  get isConnected(): boolean {
    return [...this.#connections.values()].every(({ socket }) => !socket.destroyed)
  }

  /** The connection to the bootstrap address. */
  first(): Promise<DemoConnection> {
    return this.#connect(this.#bootstrap)
  }

  close(): void {
    for (const connection of this.#connections.values()) {
      connection.close()
      this.#closed.push(connection)
    }
    this.#connections.clear()
  }

  async brokers(): Promise<readonly BrokerAddress[]> {
    const { brokers } = await this.#metadata([])
    return brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port }))
  }

  /** What else tells addresses: the coordinator of a group, and the cluster's description. */
  async askForAddresses(group: string): Promise<void> {
    const connection = await this.first()
    const asked = { ...findCoordinatorRequestDefaults(), keyType: groupKey, coordinatorKeys: [group] }
    const { coordinators } = await connection.ask(ApiKey.FindCoordinator, asked)
    const { brokers } = await connection.ask(ApiKey.DescribeCluster, describeClusterRequestDefaults())
    this.#told.push(...coordinators.filter(({ errorCode }) => errorCode === ErrorCode.NONE))
    this.#told.push(...brokers.map(({ brokerId: nodeId, host, port }) => ({ nodeId, host, port })))
  }

  async createTopic(name: string, partitions: number): Promise<void> {
    const topic = { name, numPartitions: partitions, replicationFactor: -1, assignments: [], configs: [] }
    const connection = await this.first()
    const { topics } = await connection.ask(ApiKey.CreateTopics, { ...createTopicsRequestDefaults(), topics: [topic] })
    for (const { errorCode } of topics) expectNone(errorCode, `creating ${name}`)
  }

  /** One batch to each partition, acknowledged by all replicas. @returns how many records were acknowledged. */
  async produce(topic: string, records: ReadonlyMap<number, readonly NewRecord[]>): Promise<number> {
    const described = await this.describe(topic)
    let acknowledged = 0
    for (const [index, batch] of records) {
      const leader = await this.#leaderOf(described, index)
      const { responses } = await leader.ask(ApiKey.Produce, produceQuestion(described, index, batch))
      expectNone(responses[0]!.partitionResponses[0]!.errorCode, `producing to ${topic}-${index}`)
      acknowledged += batch.length
    }
    return acknowledged
  }

  /** Reads every partition from its beginning until `count` records are there, by partition. */
  async consume(topic: string, count: number): Promise<ReadonlyMap<number, readonly BatchRecord[]>> {
    const described = await this.describe(topic)
    const read = new Map<number, BatchRecord[]>(described.partitions.map(each => [each.partitionIndex, []]))
    const total = (): number => [...read.values()].reduce((sum, { length }) => sum + length, 0)
    for (const deadline = Date.now() + patienceMs; total() < count && Date.now() < deadline; ) {
      for (const [index, records] of read) records.push(...(await this.#fetch(described, index, records.at(-1))))
    }
    return read
  }

  async #fetch(topic: DescribedTopic, index: number, last: BatchRecord | undefined): Promise<BatchRecord[]> {
    const leader = await this.#leaderOf(topic, index)
    const fetchOffset = last === undefined ? 0n : last.offset + 1n
    const maxWaitMs = last === undefined ? fetchWaitMs : 0
    const { responses, errorCode } = await leader.ask(
      ApiKey.Fetch,
      fetchQuestion(topic, index, { fetchOffset, maxWaitMs }),
    )
    expectNone(errorCode, 'fetching')
    const [answer] = responses[0]?.partitions ?? []
    if (answer === undefined) return []
    expectNone(answer.errorCode, `fetching ${topic.name}-${index}`)
    const batches = [...completeBatches((answer.records ?? Span.empty).toBuffer())]
    return batches.flatMap(readRecords).filter(({ offset }) => offset >= fetchOffset)
  }

  /** What a list of all topics names. */
  async topicNames(): Promise<readonly (string | null)[]> {
    const { topics } = await this.#metadata(null)
    return topics.map(({ name }) => name)
  }

  /** The error that comes with a topic's description. */
  async errorOf(name: string): Promise<number> {
    const { topics } = await this.#metadata([name])
    return topics[0]!.errorCode
  }

  /** A new topic may take a moment to have leaders; one that is forbidden stays so. */
  async describe(name: string): Promise<DescribedTopic> {
    for (const deadline = Date.now() + patienceMs; ; await delay(pauseMs)) {
      const { topics } = await this.#metadata([name])
      const [topic] = topics
      const isReady = topic!.errorCode === ErrorCode.NONE && topic!.partitions.every(({ leaderId }) => leaderId >= 0)
      if (isReady) return topic!
      const isFinal = topic!.errorCode === ErrorCode.TOPIC_AUTHORIZATION_FAILED || Date.now() > deadline
      if (isFinal) expectNone(topic!.errorCode, `finding the leaders of ${name}`)
    }
  }

  async #metadata(names: readonly string[] | null): Promise<ResponseByKey[typeof ApiKey.Metadata]> {
    const connection = await this.first()
    const topics = names?.map(name => ({ name, topicId: zeroUuid })) ?? null
    const answer = await connection.ask(ApiKey.Metadata, { ...metadataRequestDefaults(), topics })
    this.#told.push(...answer.brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port })))
    return answer
  }

  async #leaderOf({ name, partitions }: DescribedTopic, index: number): Promise<DemoConnection> {
    const leaderId = partitions.find(({ partitionIndex }) => partitionIndex === index)?.leaderId
    const address = this.#told.findLast(({ nodeId }) => nodeId === leaderId)
    if (address === undefined) throw failed(`nobody said where the leader of ${name}-${index} is`)
    return this.#connect({ ...this.#bootstrap, host: address.host, port: address.port })
  }

  async #connect(target: Target): Promise<DemoConnection> {
    const name = `${target.host}:${target.port}`
    const known = this.#connections.get(name)
    if (known !== undefined) return known
    const connection = await DemoConnection.open(target)
    this.#connections.set(name, connection)
    return connection
  }
}

function expectNone(errorCode: number, doing: string): void {
  if (errorCode !== ErrorCode.NONE) throw failed(`${doing}: ${errorName(errorCode)}`)
}

function failed(message: string): UpstreamError {
  return new UpstreamError('VKITM_DEMO', message, { retriable: false })
}
