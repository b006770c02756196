/**
 * ShareGroupHeartbeat: Read on the group, then Describe on every topic that is subscribed to; one that is denied denies
 * the heartbeat. (KafkaApis.handleShareGroupHeartbeat)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type ShareGroupHeartbeatResponse,
  shareGroupHeartbeatResponseDefaults,
} from '../protocol/generated/share-group-heartbeat-response.ts'
import { answer, type EnforcementOf, type Ruling, whole } from './enforcement.ts'
import { group } from './rights.ts'
import { mayDescribeAll } from './subscribed-topics.ts'

const memberIdLengthMax = 36

export function enforceShareGroupHeartbeat(): EnforcementOf<typeof ApiKey.ShareGroupHeartbeat> {
  return {
    request({ groupId, memberId, subscribedTopicNames }, judge) {
      if (!judge.allows(group.read, groupId)) return refuse(ErrorCode.GROUP_AUTHORIZATION_FAILED)
      if (memberId.length === 0 || memberId.length > memberIdLengthMax) return refuse(ErrorCode.INVALID_REQUEST)
      return mayDescribeAll(subscribedTopicNames ?? [], judge) ? whole : refuse(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    },
  }
}

function refuse(errorCode: number): Ruling<ShareGroupHeartbeatResponse> {
  return answer({ ...shareGroupHeartbeatResponseDefaults(), errorCode })
}
