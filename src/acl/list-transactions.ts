/**
 * ListTransactions: never denied; transactional ids that the client may not describe are left out, each of them as a
 * decision that Kafka logs. (KafkaApis.handleListTransactionsRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import type { EnforcementOf } from './enforcement.ts'
import { transactionalId } from './rights.ts'
import { splitDenied } from './split.ts'

export function enforceListTransactions(): EnforcementOf<typeof ApiKey.ListTransactions> {
  return {
    response(body, judge) {
      const split = splitDenied(body.transactionStates, state =>
        judge.allows(transactionalId.describe, state.transactionalId),
      )
      if (split === undefined) return false
      body.transactionStates = split.allowed
      return true
    },
  }
}
