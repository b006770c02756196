/**
 * AlterShareGroupOffsets: Read on the group, then Read on every topic. Kafka tells the id of a denied topic that exists;
 * here a denial looks the same whether or not it does. (KafkaApis.handleAlterShareGroupOffsetsRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { zeroUuid } from '../protocol/empty.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { AlterShareGroupOffsetsRequestTopic } from '../protocol/generated/alter-share-group-offsets-request.ts'
import {
  type AlterShareGroupOffsetsResponseTopic,
  alterShareGroupOffsetsResponseDefaults,
} from '../protocol/generated/alter-share-group-offsets-response.ts'
import { answer, type EnforcementOf, part, whole } from './enforcement.ts'
import { errorMessage } from './error-messages.ts'
import { group, topic } from './rights.ts'
import { splitDenied } from './split.ts'

export function enforceAlterShareGroupOffsets(): EnforcementOf<typeof ApiKey.AlterShareGroupOffsets> {
  return {
    request(body, judge) {
      if (!judge.allows(group.read, body.groupId)) {
        const errorCode: number = ErrorCode.GROUP_AUTHORIZATION_FAILED
        const response = alterShareGroupOffsetsResponseDefaults()
        return answer({ ...response, errorCode, errorMessage: errorMessage(errorCode) })
      }
      const split = splitDenied(body.topics, ({ topicName }) => judge.allows(topic.read, topicName))
      if (split === undefined) return whole
      const denials = split.denied.map(denial)
      // Asked even where no topic is left: what is wrong with the group is told instead of the denials.
      body.topics = split.allowed
      return part(response => {
        // An error of the whole stands alone.
        if (response.errorCode === ErrorCode.NONE) response.responses = [...denials, ...response.responses]
      })
    },
  }
}

function denial({ topicName, partitions }: AlterShareGroupOffsetsRequestTopic): AlterShareGroupOffsetsResponseTopic {
  const errorCode: number = ErrorCode.TOPIC_AUTHORIZATION_FAILED
  return {
    topicName,
    topicId: zeroUuid,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode,
      errorMessage: errorMessage(errorCode),
    })),
  }
}
