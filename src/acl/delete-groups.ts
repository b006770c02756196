/** DeleteGroups: Delete on every group, each named once. (KafkaApis.handleDeleteGroupsRequest) */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type DeletableGroupResult,
  deletableGroupResultDefaults,
  deleteGroupsResponseDefaults,
} from '../protocol/generated/delete-groups-response.ts'
import { answer, type EnforcementOf, part, whole } from './enforcement.ts'
import { group } from './rights.ts'
import { append, splitDenied } from './split.ts'

export function enforceDeleteGroups(): EnforcementOf<typeof ApiKey.DeleteGroups> {
  return {
    request(body, judge) {
      const split = splitDenied([...new Set(body.groupsNames)], groupId => judge.allows(group.delete, groupId))
      if (split === undefined) return whole
      const denials = split.denied.map(denial)
      if (split.allowed.length === 0) return answer({ ...deleteGroupsResponseDefaults(), results: denials })
      body.groupsNames = split.allowed
      return part(({ results }) => append(results, denials))
    },
  }
}

function denial(groupId: string): DeletableGroupResult {
  return { ...deletableGroupResultDefaults(), groupId, errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED }
}
