/**
 * JoinGroup: Read on the group. The subscriptions that members send one another are bytes to a broker, and to the
 * gateway. (KafkaApis.handleJoinGroupRequest, JoinGroupRequest.getErrorResponse)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { joinGroupResponseDefaults } from '../protocol/generated/join-group-response.ts'
import { answer, type EnforcementOf, whole } from './enforcement.ts'
import { group } from './rights.ts'

const nullProtocolFrom = 7

export function enforceJoinGroup(): EnforcementOf<typeof ApiKey.JoinGroup> {
  return {
    request({ groupId }, judge, { header }) {
      if (judge.allows(group.read, groupId)) return whole
      const protocolName = header.apiVersion >= nullProtocolFrom ? null : ''
      const errorCode: number = ErrorCode.GROUP_AUTHORIZATION_FAILED
      return answer({ ...joinGroupResponseDefaults(), errorCode, protocolName })
    },
  }
}
