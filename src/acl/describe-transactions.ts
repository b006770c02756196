/**
 * DescribeTransactions: Describe on every transactional id; of a transaction's topics those that the client may describe
 * are told. (KafkaApis.handleDescribeTransactionsRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type DescribeTransactionsResponse,
  type DescribeTransactionsResponseTransactionState,
  describeTransactionsResponseDefaults,
  describeTransactionsResponseTransactionStateDefaults,
} from '../protocol/generated/describe-transactions-response.ts'
import { answer, type EnforcementOf, part, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { topic as topicRights, transactionalId } from './rights.ts'
import { append, splitDenied } from './split.ts'

export function enforceDescribeTransactions(): EnforcementOf<typeof ApiKey.DescribeTransactions> {
  return {
    request(body, judge) {
      const split = splitDenied(body.transactionalIds, id => judge.allows(transactionalId.describe, id))
      if (split === undefined) return whole
      const transactionStates = split.denied.map(denial)
      if (split.allowed.length === 0) return answer({ ...describeTransactionsResponseDefaults(), transactionStates })
      body.transactionalIds = split.allowed
      return part(response => append(response.transactionStates, transactionStates))
    },
    response(body, judge) {
      const areHidden = hideStates(body, judge)
      return hideTopics(body, judge) || areHidden
    },
  }
}

/** Of ids that may no longer be described. */
function hideStates(body: DescribeTransactionsResponse, judge: Judge): boolean {
  const isSeen = (id: string): boolean => judge.sees(transactionalId.describe, id)
  const split = splitDenied(body.transactionStates, state => isSeen(state.transactionalId))
  if (split === undefined) return false
  body.transactionStates = [...split.allowed, ...split.denied.map(state => denial(state.transactionalId))]
  return true
}

function hideTopics({ transactionStates }: DescribeTransactionsResponse, judge: Judge): boolean {
  let isChanged = false
  for (const state of transactionStates) {
    const split = splitDenied(state.topics, ({ topic }) => judge.allows(topicRights.describe, topic))
    if (split === undefined) continue
    state.topics = split.allowed
    isChanged = true
  }
  return isChanged
}

function denial(id: string): DescribeTransactionsResponseTransactionState {
  const errorCode: number = ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  return { ...describeTransactionsResponseTransactionStateDefaults(), transactionalId: id, errorCode }
}
