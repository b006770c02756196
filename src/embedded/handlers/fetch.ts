/**
 * Fetch 4–18, topics by name or id, long polling.
 * Leaves out: sessions (every answer closes the one the client asked for, so that it always sends the whole list),
 * fetching from followers, aborted transactions, diverging epochs.
 */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { FetchRequestFetchPartition, FetchRequestFetchTopic } from '../../protocol/generated/fetch-request.ts'
import {
  type FetchableTopicResponse,
  type FetchResponse,
  type FetchResponsePartitionData,
  fetchResponseDefaults,
  fetchResponsePartitionDataDefaults,
} from '../../protocol/generated/fetch-response.ts'
import { type Call, handler } from '../handler.ts'
import { hintedBrokers, leaderHint, ledPartition, noHint } from '../led-partition.ts'
import type { Partition } from '../partition.ts'
import type { Topic } from '../topics.ts'

type FetchCall = Call<typeof ApiKey.Fetch>

const idsFrom = 13
/** Kafka sends the new leader from the version on that can also say where it is (KIP-951). */
const hintsFrom = 16

export const fetch = handler(ApiKey.Fetch, [4, 18], async call => {
  const { body, cluster, gone } = call
  if (body.sessionId !== 0) return { ...fetchResponseDefaults(), errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND }
  const deadline = cluster.settings.now() + body.maxWaitMs
  for (;;) {
    const round = readAll(call)
    const left = deadline - cluster.settings.now()
    if (round.isComplete || left <= 0 || gone.aborted) return round.answer
    await untilChanged(round.partitions, left, gone)
  }
})

interface Round {
  readonly answer: FetchResponse
  readonly isComplete: boolean
  readonly partitions: readonly Partition[]
}

function readAll(call: FetchCall): Round {
  const reading = new Reading(call)
  const responses = call.body.topics.map(topic => reading.readTopic(topic))
  const all = responses.flatMap(({ partitions }) => partitions)
  const hints = all.map(({ currentLeader }) => currentLeader)
  return {
    answer: { ...fetchResponseDefaults(), responses, nodeEndpoints: hintedBrokers(call, hints) },
    isComplete: reading.bytes >= call.body.minBytes || all.length === 0 || all.some(({ errorCode }) => errorCode !== 0),
    partitions: reading.partitions,
  }
}

class Reading {
  readonly #call: FetchCall
  readonly partitions: Partition[] = []
  bytes = 0

  constructor(call: FetchCall) {
    this.#call = call
  }

  readTopic({ topic: name, topicId, partitions }: FetchRequestFetchTopic): FetchableTopicResponse {
    const { topics } = this.#call.cluster
    const topic = this.#byId ? topics.byId(topicId) : topics.byName(name)
    return { topic: name, topicId, partitions: partitions.map(each => this.#readPartition(topic, each)) }
  }

  get #byId(): boolean {
    return this.#call.version >= idsFrom
  }

  #readPartition(topic: Topic | undefined, asked: FetchRequestFetchPartition): FetchResponsePartitionData {
    const missing = this.#byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    const { partition: index, currentLeaderEpoch: leaderEpoch, fetchOffset } = asked
    const led = ledPartition(this.#call, { topic, index, missing, leaderEpoch })
    if (led.kind === 'refused') {
      const currentLeader = this.#call.version >= hintsFrom ? leaderHint(led.errorCode, led.partition) : noHint
      return { ...refused(index, led.errorCode), currentLeader: { ...currentLeader } }
    }
    const { log } = led.partition
    if (fetchOffset < log.startOffset || fetchOffset > log.endOffset) {
      return refused(index, ErrorCode.OFFSET_OUT_OF_RANGE)
    }
    this.partitions.push(led.partition)
    return this.#read(led.partition, asked)
  }

  #read({ log }: Partition, { partition: index, fetchOffset, partitionMaxBytes }: FetchRequestFetchPartition) {
    const left = Math.min(partitionMaxBytes, this.#call.body.maxBytes - this.bytes)
    // KIP-74: the first batch of an answer is sent however large it is, or the consumer would never get past it.
    const records = log.read(fetchOffset, left, this.bytes === 0)
    this.bytes += records.byteLength
    return {
      ...fetchResponsePartitionDataDefaults(),
      partitionIndex: index,
      highWatermark: log.endOffset,
      lastStableOffset: log.endOffset,
      logStartOffset: log.startOffset,
      records,
    }
  }
}

function refused(partitionIndex: number, errorCode: ErrorCode): FetchResponsePartitionData {
  return { ...fetchResponsePartitionDataDefaults(), partitionIndex, errorCode, highWatermark: -1n }
}

function untilChanged(partitions: readonly Partition[], ms: number, gone: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = (): void => {
      clearTimeout(timer)
      gone.removeEventListener('abort', end)
      for (const unwatch of watches) unwatch()
      resolve()
    }
    const watches = partitions.map(partition => partition.watch(end))
    const timer = setTimeout(end, ms)
    gone.addEventListener('abort', end)
  })
}
