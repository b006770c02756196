/**
 * ShareGroupDescribe: Describe on every group; a group with a member that is assigned a topic which the client may not
 * describe is blanked as a whole. (KafkaApis.handleShareGroupDescribe)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type ShareGroupDescribeResponseDescribedGroup,
  shareGroupDescribeResponseDefaults,
  shareGroupDescribeResponseDescribedGroupDefaults,
} from '../protocol/generated/share-group-describe-response.ts'
import { blankGroups, judgeDescribedGroups, maskGroups } from './described-groups.ts'
import type { EnforcementOf } from './enforcement.ts'

export function enforceShareGroupDescribe(): EnforcementOf<typeof ApiKey.ShareGroupDescribe> {
  return {
    request(body, judge) {
      const { ruling, allowed } = judgeDescribedGroups(body.groupIds, judge, denial, shareGroupDescribeResponseDefaults)
      body.groupIds = allowed
      return ruling
    },
    response(body, judge) {
      const isMasked = maskGroups(body, judge, denial)
      return blankGroups(body, judge, topicsOf, blank) || isMasked
    },
  }
}

function denial(groupId: string): ShareGroupDescribeResponseDescribedGroup {
  const errorCode: number = ErrorCode.GROUP_AUTHORIZATION_FAILED
  return { ...shareGroupDescribeResponseDescribedGroupDefaults(), groupId, errorCode }
}

function blank(groupId: string): ShareGroupDescribeResponseDescribedGroup {
  return {
    ...shareGroupDescribeResponseDescribedGroupDefaults(),
    groupId,
    errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    errorMessage: 'The group has described topic(s) that the client is not authorized to describe.',
  }
}

function topicsOf({ members }: ShareGroupDescribeResponseDescribedGroup): string[] {
  return members.flatMap(({ assignment }) => assignment.topicPartitions.map(({ topicName }) => topicName))
}
