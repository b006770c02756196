/**
 * OffsetCommit: Read on the group, then Read on every topic. There is no error of the whole: a denied group is told on
 * every partition. (KafkaApis.handleOffsetCommitRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { offsetCommitResponseDefaults } from '../protocol/generated/offset-commit-response.ts'
import { judgeCommitted, refuseCommitted } from './committed-topics.ts'
import type { AclFacts, EnforcementOf } from './enforcement.ts'
import { group } from './rights.ts'

const topicIdsFrom = 10
const defaults = offsetCommitResponseDefaults

export function enforceOffsetCommit({ topics: catalog }: AclFacts): EnforcementOf<typeof ApiKey.OffsetCommit> {
  return {
    request(body, judge, { header }) {
      if (!judge.allows(group.read, body.groupId)) {
        return refuseCommitted(body.topics, ErrorCode.GROUP_AUTHORIZATION_FAILED, defaults)
      }
      return judgeCommitted({ body, judge, catalog, byId: header.apiVersion >= topicIdsFrom, defaults })
    },
  }
}
