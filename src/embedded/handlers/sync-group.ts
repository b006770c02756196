/** SyncGroup 0–5. Leaves out: nothing clients use. */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { syncGroupResponseDefaults } from '../../protocol/generated/sync-group-response.ts'
import { judgeCoordinator } from '../coordinated-group.ts'
import { type SyncResult, syncRefused } from '../group-member.ts'
import { type Call, handler } from '../handler.ts'

type SyncGroupCall = Call<typeof ApiKey.SyncGroup>

/** From here on both sides name the protocol (KIP-559). */
const protocolFrom = 5

export const syncGroup = handler(ApiKey.SyncGroup, [0, 5], async call => {
  const { errorCode, assignment } = await sync(call)
  const group = call.cluster.groups.find(call.body.groupId)
  const named =
    call.version >= protocolFrom && errorCode === ErrorCode.NONE && group !== undefined
      ? { protocolType: group.protocolType, protocolName: group.protocolName }
      : {}
  return { ...syncGroupResponseDefaults(), errorCode, assignment, ...named }
})

async function sync(call: SyncGroupCall): Promise<SyncResult> {
  const { cluster, version, body } = call
  const errorCode = judgeCoordinator(call, body.groupId)
  if (errorCode !== ErrorCode.NONE) return syncRefused(errorCode)
  const group = cluster.groups.find(body.groupId)
  if (group === undefined) return syncRefused(ErrorCode.UNKNOWN_MEMBER_ID)
  if (version >= protocolFrom && !isSame(body, group)) return syncRefused(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  const assignments = new Map(body.assignments.map(({ memberId, assignment }) => [memberId, assignment]))
  const { memberId, groupInstanceId: instanceId, generationId: generation } = body
  return group.sync({ memberId, instanceId, generation }, assignments)
}

interface NamedProtocol {
  readonly protocolType: string | null
  readonly protocolName: string | null
}

/** Who does not say which protocol it means is not asked again. */
function isSame(asked: NamedProtocol, group: NamedProtocol): boolean {
  const { protocolType, protocolName } = asked
  return (
    (protocolType === null || protocolType === group.protocolType) &&
    (protocolName === null || group.protocolName === null || protocolName === group.protocolName)
  )
}
