/** ListGroups 0–5: the groups this node coordinates. Leaves out: nothing clients use. */
import { ApiKey } from '../../protocol/api-key.ts'
import { listGroupsResponseDefaults } from '../../protocol/generated/list-groups-response.ts'
import { handler } from '../handler.ts'

const groupType = 'classic'

export const listGroups = handler(ApiKey.ListGroups, [0, 5], ({ cluster, nodeId, body }) => {
  const states = new Set(body.statesFilter.map(state => state.toLowerCase()))
  const types = new Set(body.typesFilter.map(type => type.toLowerCase()))
  const groups = cluster.groups.all().filter(({ id, state }) => {
    if (cluster.coordinatorOf(id)?.nodeId !== nodeId) return false
    return (states.size === 0 || states.has(state.toLowerCase())) && (types.size === 0 || types.has(groupType))
  })
  return {
    ...listGroupsResponseDefaults(),
    groups: groups.map(({ id: groupId, state: groupState, protocolType }) => {
      return { groupId, protocolType: protocolType ?? '', groupState, groupType }
    }),
  }
})
