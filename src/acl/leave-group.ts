/** LeaveGroup: Read on the group, whoever is made to leave; no member is named in the denial. (KafkaApis.handleLeaveGroupRequest) */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { leaveGroupResponseDefaults } from '../protocol/generated/leave-group-response.ts'
import { answer, type EnforcementOf, whole } from './enforcement.ts'
import { group } from './rights.ts'

export function enforceLeaveGroup(): EnforcementOf<typeof ApiKey.LeaveGroup> {
  return {
    request({ groupId }, judge) {
      if (judge.allows(group.read, groupId)) return whole
      const errorCode: number = ErrorCode.GROUP_AUTHORIZATION_FAILED
      return answer({ ...leaveGroupResponseDefaults(), errorCode })
    },
  }
}
