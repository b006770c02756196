/** ListOffsets: Describe on every topic; a denial is told on every partition. (KafkaApis.handleListOffsetRequest) */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type ListOffsetsTopicResponse,
  listOffsetsPartitionResponseDefaults,
  listOffsetsResponseDefaults,
} from '../protocol/generated/list-offsets-response.ts'
import { answer, type EnforcementOf, part, whole } from './enforcement.ts'
import { replaceHidden } from './hidden.ts'
import { topic as topicRights } from './rights.ts'
import { append, splitDenied } from './split.ts'

export function enforceListOffsets(): EnforcementOf<typeof ApiKey.ListOffsets> {
  return {
    request(body, judge) {
      const split = splitDenied(body.topics, ({ name }) => judge.allows(topicRights.describe, name))
      if (split === undefined) return whole
      const denials = split.denied.map(denial)
      if (split.allowed.length === 0) return answer({ ...listOffsetsResponseDefaults(), topics: denials })
      body.topics = split.allowed
      return part(({ topics }) => append(topics, denials))
    },

    response({ topics }, judge) {
      return replaceHidden(topics, ({ name }) => judge.sees(topicRights.describe, name), denial)
    },
  }
}

interface Named {
  readonly name: string
  readonly partitions: readonly { readonly partitionIndex: number }[]
}

function denial({ name, partitions }: Named): ListOffsetsTopicResponse {
  return {
    name,
    partitions: partitions.map(({ partitionIndex }) => ({
      ...listOffsetsPartitionResponseDefaults(),
      partitionIndex,
      errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    })),
  }
}
