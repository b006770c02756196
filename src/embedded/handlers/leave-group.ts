/** LeaveGroup 0–5. Leaves out: nothing clients use. */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { leaveGroupResponseDefaults } from '../../protocol/generated/leave-group-response.ts'
import { judgeCoordinator } from '../coordinated-group.ts'
import { type Call, handler } from '../handler.ts'

/** KIP-345: from here on several members leave with one request. */
const membersFrom = 3

export const leaveGroup = handler(ApiKey.LeaveGroup, [0, 5], call => {
  const { version, body } = call
  const errorCode = judgeCoordinator(call, body.groupId)
  if (errorCode !== ErrorCode.NONE) return { ...leaveGroupResponseDefaults(), errorCode }
  if (version < membersFrom) return { ...leaveGroupResponseDefaults(), errorCode: leave(call, body.memberId, null) }
  const members = body.members.map(({ memberId, groupInstanceId }) => {
    return { memberId, groupInstanceId, errorCode: leave(call, memberId, groupInstanceId) }
  })
  return { ...leaveGroupResponseDefaults(), members }
})

function leave(
  { cluster, body }: Call<typeof ApiKey.LeaveGroup>,
  memberId: string,
  instanceId: string | null,
): ErrorCode {
  return cluster.groups.find(body.groupId)?.leave({ memberId, instanceId }) ?? ErrorCode.UNKNOWN_MEMBER_ID
}
