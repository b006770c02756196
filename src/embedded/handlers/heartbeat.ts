/** Heartbeat 0–4. Leaves out: nothing clients use. */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { heartbeatResponseDefaults } from '../../protocol/generated/heartbeat-response.ts'
import { judgeCoordinator } from '../coordinated-group.ts'
import { type Call, handler } from '../handler.ts'

export const heartbeat = handler(ApiKey.Heartbeat, [0, 4], call => {
  return { ...heartbeatResponseDefaults(), errorCode: judge(call) }
})

function judge(call: Call<typeof ApiKey.Heartbeat>): ErrorCode {
  const { groupId, memberId, groupInstanceId: instanceId, generationId: generation } = call.body
  const errorCode = judgeCoordinator(call, groupId)
  if (errorCode !== ErrorCode.NONE) return errorCode
  const group = call.cluster.groups.find(groupId)
  return group?.heartbeat({ memberId, instanceId, generation }) ?? ErrorCode.UNKNOWN_MEMBER_ID
}
