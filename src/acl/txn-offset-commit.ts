/**
 * TxnOffsetCommit: Write on the transactional id, Read on the group, then Read on every topic. There is no error of the
 * whole: the first two denials are told on every partition. (KafkaApis.handleTxnOffsetCommitRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { txnOffsetCommitResponseDefaults } from '../protocol/generated/txn-offset-commit-response.ts'
import { judgeCommitted, refuseCommitted } from './committed-topics.ts'
import type { AclFacts, EnforcementOf } from './enforcement.ts'
import { group, transactionalId } from './rights.ts'

const topicIdsFrom = 6
const defaults = txnOffsetCommitResponseDefaults

export function enforceTxnOffsetCommit({ topics: catalog }: AclFacts): EnforcementOf<typeof ApiKey.TxnOffsetCommit> {
  return {
    request(body, judge, { header }) {
      if (!judge.allows(transactionalId.write, body.transactionalId)) {
        return refuseCommitted(body.topics, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, defaults)
      }
      if (!judge.allows(group.read, body.groupId)) {
        return refuseCommitted(body.topics, ErrorCode.GROUP_AUTHORIZATION_FAILED, defaults)
      }
      return judgeCommitted({ body, judge, catalog, byId: header.apiVersion >= topicIdsFrom, defaults })
    },
  }
}
