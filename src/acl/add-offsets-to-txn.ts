/** AddOffsetsToTxn: Write on the transactional id, then Read on the group. (KafkaApis.handleAddOffsetsToTxnRequest) */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type AddOffsetsToTxnResponse,
  addOffsetsToTxnResponseDefaults,
} from '../protocol/generated/add-offsets-to-txn-response.ts'
import { answer, type EnforcementOf, type Ruling, whole } from './enforcement.ts'
import { group, transactionalId } from './rights.ts'

export function enforceAddOffsetsToTxn(): EnforcementOf<typeof ApiKey.AddOffsetsToTxn> {
  return {
    request(body, judge) {
      if (!judge.allows(transactionalId.write, body.transactionalId)) {
        return refuse(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
      }
      return judge.allows(group.read, body.groupId) ? whole : refuse(ErrorCode.GROUP_AUTHORIZATION_FAILED)
    },
  }
}

function refuse(errorCode: number): Ruling<AddOffsetsToTxnResponse> {
  return answer({ ...addOffsetsToTxnResponseDefaults(), errorCode })
}
