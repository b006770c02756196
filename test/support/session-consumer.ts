/** A consumer's side of fetch sessions, as Java's FetchSessionHandler has it. It complains about what Java logs. */
import assert from 'node:assert/strict'
import { zeroUuid } from '../../src/protocol/empty.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import {
  type FetchRequest,
  fetchRequestDefaults,
  fetchRequestFetchPartitionDefaults,
} from '../../src/protocol/generated/fetch-request.ts'
import type { FetchResponse } from '../../src/protocol/generated/fetch-response.ts'

/** `topic-partition` of everything, and the offset to fetch from. */
export type Positions = Map<string, bigint>

export class SessionConsumer {
  readonly #ids: ReadonlyMap<string, string> | undefined
  sessionId = 0
  epoch = 0
  /** What it wants now. */
  readonly wanted: Positions = new Map()
  /** What the session stands at. */
  #session: Positions = new Map()
  readonly errors = new Map<string, number>()

  /** `ids` by name, where topics are fetched by id. */
  constructor(ids?: ReadonlyMap<string, string>) {
    this.#ids = ids
  }

  /** Closes the session with the next request and opens none. */
  close(): void {
    this.epoch = -1
  }

  next(): FetchRequest {
    const isFull = this.epoch <= 0
    const before = isFull ? new Map<string, bigint>() : this.#session
    const listed = [...this.wanted].filter(([key, offset]) => before.get(key) !== offset)
    const gone = [...before.keys()].filter(key => !this.wanted.has(key))
    this.#session = new Map(this.wanted)
    return {
      ...fetchRequestDefaults(),
      sessionId: this.sessionId,
      sessionEpoch: this.epoch,
      topics: listed.map(([key, fetchOffset]) => {
        const { partition, ...named } = this.#named(key)
        return { ...named, partitions: [{ ...fetchRequestFetchPartitionDefaults(), partition, fetchOffset }] }
      }),
      forgottenTopicsData: gone.map(key => {
        const { partition, ...named } = this.#named(key)
        return { ...named, partitions: [partition] }
      }),
    }
  }

  /** Takes an answer in; gives what came with records. */
  receive(response: FetchResponse): string[] {
    const { errorCode, sessionId } = response
    const isFull = this.epoch <= 0
    if (errorCode !== 0) {
      if (errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND) this.sessionId = 0
      this.epoch = 0
      return []
    }
    const answered = this.#answered(response)
    assert.deepEqual([...answered.keys()].filter(key => !this.#session.has(key)).sort(), [], 'extra partitions')
    if (isFull) assert.deepEqual([...answered.keys()].sort(), [...this.#session.keys()].sort(), 'omitted partitions')
    this.epoch = sessionId === 0 ? 0 : this.epoch + 1
    this.sessionId = sessionId
    return [...answered].filter(([key, data]) => this.#take(key, data)).map(([key]) => key)
  }

  #answered({ responses }: FetchResponse) {
    const all = responses.flatMap(({ topic, topicId, partitions }) =>
      partitions.map(data => [`${this.#nameOf(topic, topicId)}-${data.partitionIndex}`, data] as const),
    )
    const answered = new Map(all)
    assert.equal(answered.size, all.length, 'a partition is answered twice')
    return answered
  }

  #take(key: string, { errorCode, records, highWatermark }: FetchResponse['responses'][number]['partitions'][number]) {
    this.errors.set(key, errorCode)
    if (records === null || records.byteLength === 0) return false
    assert.equal(errorCode, 0)
    this.wanted.set(key, highWatermark)
    return true
  }

  #named(key: string): { topic: string; topicId: string; partition: number } {
    const [name = '', partition] = key.split('-')
    const id = this.#ids?.get(name)
    return { topic: id === undefined ? name : '', topicId: id ?? zeroUuid, partition: Number(partition) }
  }

  #nameOf(topic: string, topicId: string): string {
    if (this.#ids === undefined) return topic
    for (const [name, id] of this.#ids) if (id === topicId) return name
    return assert.fail(`extra id ${topicId}`)
  }
}
