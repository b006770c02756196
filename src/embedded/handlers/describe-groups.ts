/** DescribeGroups 0–6, classic groups. Leaves out: nothing clients use. */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import {
  type DescribedGroupMember,
  type DescribeGroupsResponseDescribedGroup,
  describeGroupsResponseDefaults,
  describeGroupsResponseDescribedGroupDefaults,
} from '../../protocol/generated/describe-groups-response.ts'
import { everyOperation } from '../authorized-operations.ts'
import { judgeCoordinator } from '../coordinated-group.ts'
import type { Member } from '../group-member.ts'
import { type Call, handler } from '../handler.ts'

type DescribeGroupsCall = Call<typeof ApiKey.DescribeGroups>

/** From here on a group that is not there is an error (KIP-1043). */
const notFoundFrom = 6

export const describeGroups = handler(ApiKey.DescribeGroups, [0, 6], call => {
  return { ...describeGroupsResponseDefaults(), groups: call.body.groups.map(groupId => describe(call, groupId)) }
})

function describe(call: DescribeGroupsCall, groupId: string): DescribeGroupsResponseDescribedGroup {
  const { cluster, body, version } = call
  const nothing = { ...describeGroupsResponseDescribedGroupDefaults(), groupId }
  const errorCode = judgeCoordinator(call, groupId)
  if (errorCode !== ErrorCode.NONE) return { ...nothing, errorCode }
  const group = cluster.groups.find(groupId)
  if (group === undefined) {
    if (version < notFoundFrom) return { ...nothing, groupState: 'Dead' }
    const errorMessage = `Group ${groupId} not found.`
    return { ...nothing, groupState: 'Dead', errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage }
  }
  const protocol = group.state === 'Stable' ? (group.protocolName ?? '') : ''
  return {
    ...nothing,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: protocol,
    members: group.members.map(member => describeMember(member, protocol)),
    ...(body.includeAuthorizedOperations ? { authorizedOperations: everyOperation.group } : {}),
  }
}

function describeMember(member: Member, protocol: string): DescribedGroupMember {
  const { said } = member
  return {
    memberId: said.memberId,
    groupInstanceId: said.instanceId,
    clientId: said.clientId,
    clientHost: said.clientHost,
    memberMetadata: member.metadataOf(protocol),
    memberAssignment: member.assignment,
  }
}
