/** What ShareFetch and ShareAcknowledge have in common: a member of a share group, and its sessions. */
import { ErrorCode } from '../protocol/error-code.ts'
import type { TopicCatalog } from '../topology/topic-catalog.ts'
import type { Judge } from './judge.ts'
import { group } from './rights.ts'
import type { Member, ShareSessions } from './share-sessions.ts'

export interface ShareFacts {
  readonly topics: TopicCatalog
  /** ShareFetch and ShareAcknowledge speak of the same ones. */
  readonly sessions: ShareSessions
}

/** What Kafka checks of a group and its member before it looks for the session, 0 where that is no error. */
export function memberError(member: Member, judge: Judge): number {
  if (member.groupId === null) return ErrorCode.INVALID_REQUEST
  if (!judge.allows(group.read, member.groupId)) return ErrorCode.GROUP_AUTHORIZATION_FAILED
  const { memberId } = member
  const isValid = memberId !== null && memberId.length > 0 && memberId.length <= memberIdLengthMax
  return isValid ? 0 : ErrorCode.INVALID_REQUEST
}

/** Of KafkaApis.isMemberIdValid: a UUID, dashes and all. */
const memberIdLengthMax = 36
