/** What a client asks about one partition of a topic, in the words of any version: by name and by id. */

import type { ApiKey } from '../../protocol/api-key.ts'
import type { RequestByKey } from '../../protocol/codec.ts'
import {
  fetchRequestDefaults,
  fetchRequestFetchPartitionDefaults,
  fetchRequestFetchTopicDefaults,
} from '../../protocol/generated/fetch-request.ts'
import type { MetadataResponseTopic } from '../../protocol/generated/metadata-response.ts'
import { produceRequestDefaults } from '../../protocol/generated/produce-request.ts'
import { type NewRecord, writeBatch } from '../../records/write-batch.ts'
import { Span } from '../../wire/span.ts'

export type DescribedTopic = Pick<MetadataResponseTopic, 'name' | 'topicId' | 'partitions'>

const writeTimeoutMs = 15_000
const partitionMaxBytes = 1 << 20

/** To be acknowledged by all replicas. */
export function produceQuestion(
  { name, topicId }: DescribedTopic,
  index: number,
  batch: readonly NewRecord[],
): RequestByKey[typeof ApiKey.Produce] {
  const partitionData = [{ index, records: Span.of(writeBatch(batch)) }]
  return {
    ...produceRequestDefaults(),
    acks: -1,
    timeoutMs: writeTimeoutMs,
    topicData: [{ name: name ?? '', topicId, partitionData }],
  }
}

export function fetchQuestion(
  { name, topicId }: DescribedTopic,
  index: number,
  { fetchOffset, maxWaitMs }: { readonly fetchOffset: bigint; readonly maxWaitMs: number },
): RequestByKey[typeof ApiKey.Fetch] {
  const partition = { ...fetchRequestFetchPartitionDefaults(), partition: index, fetchOffset, partitionMaxBytes }
  const topic = { ...fetchRequestFetchTopicDefaults(), topic: name ?? '', topicId, partitions: [partition] }
  return { ...fetchRequestDefaults(), maxWaitMs, minBytes: 1, topics: [topic] }
}
