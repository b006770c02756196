/**
 * SyncGroup: Read on the group. What a leader assigns are bytes: reading the topics is judged where they are read.
 * Before anybody is asked, the protocol must be named. (KafkaApis.handleSyncGroupRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { SyncGroupRequest } from '../protocol/generated/sync-group-request.ts'
import { type SyncGroupResponse, syncGroupResponseDefaults } from '../protocol/generated/sync-group-response.ts'
import { answer, type EnforcementOf, type Ruling, whole } from './enforcement.ts'
import { group } from './rights.ts'

const protocolFrom = 5

export function enforceSyncGroup(): EnforcementOf<typeof ApiKey.SyncGroup> {
  return {
    request(body, judge, { header }) {
      if (header.apiVersion >= protocolFrom && !namesProtocol(body))
        return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
      return judge.allows(group.read, body.groupId) ? whole : refuse(ErrorCode.GROUP_AUTHORIZATION_FAILED)
    },
  }
}

function namesProtocol({ protocolType, protocolName }: SyncGroupRequest): boolean {
  return protocolType !== null && protocolName !== null
}

function refuse(errorCode: number): Ruling<SyncGroupResponse> {
  return answer({ ...syncGroupResponseDefaults(), errorCode })
}
