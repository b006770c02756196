/** JoinGroup 0–9. Leaves out: skipping the assignment when a static leader returns. */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { joinGroupResponseDefaults } from '../../protocol/generated/join-group-response.ts'
import { judgeCoordinator } from '../coordinated-group.ts'
import type { JoinRequest } from '../group.ts'
import { type JoinResult, joinRefused } from '../group-member.ts'
import { type Call, handler } from '../handler.ts'

type JoinGroupCall = Call<typeof ApiKey.JoinGroup>

/** KIP-394 */
const learnsIdFrom = 4
/** From here on no protocol is null instead of empty. */
const nullProtocolFrom = 7

export const joinGroup = handler(ApiKey.JoinGroup, [0, 9], async call => {
  const { memberId, generation, leaderId, members, protocolName, errorCode } = await join(call)
  const { version, cluster, body } = call
  return {
    ...joinGroupResponseDefaults(),
    errorCode,
    generationId: generation,
    protocolType: version >= nullProtocolFrom ? (cluster.groups.find(body.groupId)?.protocolType ?? null) : null,
    protocolName: version >= nullProtocolFrom ? protocolName : (protocolName ?? ''),
    leader: leaderId,
    memberId,
    members: members.map(member => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      metadata: member.metadata,
    })),
  }
})

async function join(call: JoinGroupCall): Promise<JoinResult> {
  const { cluster, body } = call
  const errorCode = judgeCoordinator(call, body.groupId)
  if (errorCode !== ErrorCode.NONE) return joinRefused(errorCode, body.memberId)
  const { sessionTimeoutMinMs, sessionTimeoutMaxMs } = cluster.settings
  if (body.sessionTimeoutMs < sessionTimeoutMinMs || body.sessionTimeoutMs > sessionTimeoutMaxMs) {
    return joinRefused(ErrorCode.INVALID_SESSION_TIMEOUT, body.memberId)
  }
  if (body.memberId !== '' && cluster.groups.find(body.groupId) === undefined) {
    return joinRefused(ErrorCode.UNKNOWN_MEMBER_ID, body.memberId)
  }
  return cluster.groups.findOrCreate(body.groupId).join(joinRequest(call))
}

function joinRequest({ version, clientId, clientHost, body }: JoinGroupCall): JoinRequest {
  return {
    memberId: body.memberId,
    instanceId: body.groupInstanceId,
    clientId,
    clientHost,
    sessionTimeoutMs: body.sessionTimeoutMs,
    // Version 0 knows one timeout only.
    rebalanceTimeoutMs: body.rebalanceTimeoutMs < 0 ? body.sessionTimeoutMs : body.rebalanceTimeoutMs,
    protocols: body.protocols,
    protocolType: body.protocolType,
    learnsIdFirst: version >= learnsIdFrom,
  }
}
