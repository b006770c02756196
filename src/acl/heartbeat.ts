/** Heartbeat: Read on the group. (KafkaApis.handleHeartbeatRequest) */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { heartbeatResponseDefaults } from '../protocol/generated/heartbeat-response.ts'
import { answer, type EnforcementOf, whole } from './enforcement.ts'
import { group } from './rights.ts'

export function enforceHeartbeat(): EnforcementOf<typeof ApiKey.Heartbeat> {
  return {
    request({ groupId }, judge) {
      if (judge.allows(group.read, groupId)) return whole
      const errorCode: number = ErrorCode.GROUP_AUTHORIZATION_FAILED
      return answer({ ...heartbeatResponseDefaults(), errorCode })
    },
  }
}
