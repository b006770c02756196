/** OffsetDelete: Delete on the group, then Read on every topic. (KafkaApis.handleOffsetDeleteRequest) */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { OffsetDeleteRequestTopic } from '../protocol/generated/offset-delete-request.ts'
import {
  type OffsetDeleteResponseTopic,
  offsetDeleteResponseDefaults,
} from '../protocol/generated/offset-delete-response.ts'
import { answer, type EnforcementOf, part, whole } from './enforcement.ts'
import { group, topic } from './rights.ts'
import { append, splitDenied } from './split.ts'

export function enforceOffsetDelete(): EnforcementOf<typeof ApiKey.OffsetDelete> {
  return {
    request(body, judge) {
      if (!judge.allows(group.delete, body.groupId)) {
        const errorCode: number = ErrorCode.GROUP_AUTHORIZATION_FAILED
        return answer({ ...offsetDeleteResponseDefaults(), errorCode })
      }
      const split = splitDenied(body.topics, ({ name }) => judge.allows(topic.read, name))
      if (split === undefined) return whole
      const denials = split.denied.map(denial)
      // Asked even where no topic is left: what is wrong with the group is told instead of the denials.
      body.topics = split.allowed
      return part(response => {
        // An error of the whole stands alone, as in OffsetDeleteResponse.Builder.merge.
        if (response.errorCode === ErrorCode.NONE) append(response.topics, denials)
      })
    },
  }
}

function denial({ name, partitions }: OffsetDeleteRequestTopic): OffsetDeleteResponseTopic {
  const errorCode: number = ErrorCode.TOPIC_AUTHORIZATION_FAILED
  return { name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
}
