/** DeleteShareGroupOffsets: Delete on the group, then Read on every topic. (KafkaApis.handleDeleteShareGroupOffsetsRequest) */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type DeleteShareGroupOffsetsResponseTopic,
  deleteShareGroupOffsetsResponseDefaults,
  deleteShareGroupOffsetsResponseTopicDefaults,
} from '../protocol/generated/delete-share-group-offsets-response.ts'
import { answer, type EnforcementOf, part, whole } from './enforcement.ts'
import { errorMessage } from './error-messages.ts'
import { group, topic } from './rights.ts'
import { splitDenied } from './split.ts'

export function enforceDeleteShareGroupOffsets(): EnforcementOf<typeof ApiKey.DeleteShareGroupOffsets> {
  return {
    request(body, judge) {
      if (!judge.allows(group.delete, body.groupId)) {
        const errorCode: number = ErrorCode.GROUP_AUTHORIZATION_FAILED
        const response = deleteShareGroupOffsetsResponseDefaults()
        return answer({ ...response, errorCode, errorMessage: errorMessage(errorCode) })
      }
      const split = splitDenied(body.topics, ({ topicName }) => judge.allows(topic.read, topicName))
      if (split === undefined) return whole
      const denials = split.denied.map(({ topicName }) => denial(topicName))
      // Asked even where no topic is left: what is wrong with the group is told instead of the denials.
      body.topics = split.allowed
      return part(response => {
        // An error of the whole stands alone.
        if (response.errorCode === ErrorCode.NONE) response.responses = [...denials, ...response.responses]
      })
    },
  }
}

function denial(topicName: string): DeleteShareGroupOffsetsResponseTopic {
  const errorCode: number = ErrorCode.TOPIC_AUTHORIZATION_FAILED
  return {
    ...deleteShareGroupOffsetsResponseTopicDefaults(),
    topicName,
    errorCode,
    errorMessage: errorMessage(errorCode),
  }
}
