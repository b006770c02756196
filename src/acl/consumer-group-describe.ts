/**
 * ConsumerGroupDescribe: Describe on every group; a group with a member that is assigned a topic which the client may not
 * describe is blanked as a whole. A member that asked the gateway for an expression is shown with it, and not with the
 * names that the broker was told in its place. (KafkaApis.handleConsumerGroupDescribe)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type ConsumerGroupDescribeResponse,
  type ConsumerGroupDescribeResponseDescribedGroup,
  consumerGroupDescribeResponseDefaults,
  consumerGroupDescribeResponseDescribedGroupDefaults,
} from '../protocol/generated/consumer-group-describe-response.ts'
import { blankGroups, judgeDescribedGroups, maskGroups } from './described-groups.ts'
import type { EnforcementOf } from './enforcement.ts'
import type { MemberExpressions } from './member-expressions.ts'

export function enforceConsumerGroupDescribe(
  members: MemberExpressions,
): EnforcementOf<typeof ApiKey.ConsumerGroupDescribe> {
  return {
    request(body, judge) {
      const defaults = consumerGroupDescribeResponseDefaults
      const { ruling, allowed } = judgeDescribedGroups(body.groupIds, judge, denial, defaults)
      body.groupIds = allowed
      return ruling
    },
    response(body, judge) {
      const isMasked = maskGroups(body, judge, denial)
      const isBlanked = blankGroups(body, judge, topicsOf, blank)
      return showExpressions(body, members) || isBlanked || isMasked
    },
  }
}

function denial(groupId: string): ConsumerGroupDescribeResponseDescribedGroup {
  const errorCode: number = ErrorCode.GROUP_AUTHORIZATION_FAILED
  return { ...consumerGroupDescribeResponseDescribedGroupDefaults(), groupId, errorCode }
}

function blank(groupId: string): ConsumerGroupDescribeResponseDescribedGroup {
  return {
    ...consumerGroupDescribeResponseDescribedGroupDefaults(),
    groupId,
    errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    errorMessage: 'The group has described topic(s) that the client is not authorized to describe.',
  }
}

function topicsOf({ members }: ConsumerGroupDescribeResponseDescribedGroup): string[] {
  return members.flatMap(({ assignment, targetAssignment }) =>
    [...assignment.topicPartitions, ...targetAssignment.topicPartitions].map(({ topicName }) => topicName),
  )
}

function showExpressions({ groups }: ConsumerGroupDescribeResponse, known: MemberExpressions): boolean {
  let isChanged = false
  for (const { groupId, members } of groups) {
    for (const member of members) {
      const asked = known.find(groupId, member.memberId)
      if (asked === undefined || asked.expression === '') continue
      member.subscribedTopicNames = [...asked.names]
      member.subscribedTopicRegex = asked.expression
      isChanged = true
    }
  }
  return isChanged
}
