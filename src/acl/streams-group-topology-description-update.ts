/** StreamsGroupTopologyDescriptionUpdate: Read on the group; the topics that the description names are text. (KafkaApis.handleStreamsGroupTopologyDescriptionUpdate) */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { streamsGroupTopologyDescriptionUpdateResponseDefaults } from '../protocol/generated/streams-group-topology-description-update-response.ts'
import { answer, type EnforcementOf, whole } from './enforcement.ts'
import { group } from './rights.ts'

export function enforceStreamsGroupTopologyDescriptionUpdate(): EnforcementOf<
  typeof ApiKey.StreamsGroupTopologyDescriptionUpdate
> {
  return {
    request({ groupId }, judge) {
      if (judge.allows(group.read, groupId)) return whole
      const errorCode: number = ErrorCode.GROUP_AUTHORIZATION_FAILED
      return answer({ ...streamsGroupTopologyDescriptionUpdateResponseDefaults(), errorCode })
    },
  }
}
