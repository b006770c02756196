/** DeleteRecords: Delete on every topic; a denial is told on every partition. (KafkaApis.handleDeleteRecordsRequest) */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { DeleteRecordsTopic } from '../protocol/generated/delete-records-request.ts'
import {
  type DeleteRecordsTopicResult,
  deleteRecordsResponseDefaults,
} from '../protocol/generated/delete-records-response.ts'
import { answer, type EnforcementOf, part, whole } from './enforcement.ts'
import { topic as topicRights } from './rights.ts'
import { append, splitDenied } from './split.ts'

export function enforceDeleteRecords(): EnforcementOf<typeof ApiKey.DeleteRecords> {
  return {
    request(body, judge) {
      const split = splitDenied(body.topics, ({ name }) => judge.allows(topicRights.delete, name))
      if (split === undefined) return whole
      const denials = denialsOf(split.denied)
      if (split.allowed.length === 0) return answer({ ...deleteRecordsResponseDefaults(), topics: denials })
      body.topics = split.allowed
      return part(({ topics }) => append(topics, denials))
    },
  }
}

/** One for each name, however often it comes, as Kafka keeps them by partition. */
function denialsOf(topics: readonly DeleteRecordsTopic[]): DeleteRecordsTopicResult[] {
  const partitionsOf = new Map<string, Set<number>>(topics.map(({ name }) => [name, new Set()]))
  for (const { name, partitions } of topics) {
    for (const { partitionIndex } of partitions) partitionsOf.get(name)?.add(partitionIndex)
  }
  const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED
  return Array.from(partitionsOf, ([name, indexes]) => ({
    name,
    partitions: Array.from(indexes, partitionIndex => ({ partitionIndex, lowWatermark: -1n, errorCode })),
  }))
}
