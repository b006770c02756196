/** EndTxn: Write on the transactional id. (KafkaApis.handleEndTxnRequest) */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { endTxnResponseDefaults } from '../protocol/generated/end-txn-response.ts'
import { answer, type EnforcementOf, whole } from './enforcement.ts'
import { transactionalId } from './rights.ts'

export function enforceEndTxn(): EnforcementOf<typeof ApiKey.EndTxn> {
  return {
    request(body, judge) {
      if (judge.allows(transactionalId.write, body.transactionalId)) return whole
      const errorCode: number = ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
      return answer({ ...endTxnResponseDefaults(), errorCode })
    },
  }
}
