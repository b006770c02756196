/** DeleteGroups 0–3. Leaves out: nothing clients use. */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { deleteGroupsResponseDefaults } from '../../protocol/generated/delete-groups-response.ts'
import { judgeCoordinator } from '../coordinated-group.ts'
import { type Call, handler } from '../handler.ts'

export const deleteGroups = handler(ApiKey.DeleteGroups, [0, 3], call => {
  const results = call.body.groupsNames.map(groupId => ({
    groupId,
    errorCode: remove(call, groupId),
    errorMessage: null,
  }))
  return { ...deleteGroupsResponseDefaults(), results }
})

function remove(call: Call<typeof ApiKey.DeleteGroups>, groupId: string): ErrorCode {
  const errorCode = judgeCoordinator(call, groupId)
  if (errorCode !== ErrorCode.NONE) return errorCode
  const group = call.cluster.groups.find(groupId)
  if (group === undefined) return ErrorCode.GROUP_ID_NOT_FOUND
  if (group.state !== 'Empty') return ErrorCode.NON_EMPTY_GROUP
  call.cluster.groups.delete(group)
  return ErrorCode.NONE
}
