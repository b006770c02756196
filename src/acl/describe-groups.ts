/**
 * DescribeGroups: Describe on every group. Members' subscriptions and assignments are bytes, which Kafka shows to whoever
 * may describe the group. (KafkaApis.handleDescribeGroupsRequest, DescribeGroupsResponse.groupError)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  describeGroupsResponseDefaults,
  describeGroupsResponseDescribedGroupDefaults,
} from '../protocol/generated/describe-groups-response.ts'
import { judgeDescribedGroups, maskGroups } from './described-groups.ts'
import type { EnforcementOf } from './enforcement.ts'

export function enforceDescribeGroups(): EnforcementOf<typeof ApiKey.DescribeGroups> {
  return {
    request(body, judge) {
      const { ruling, allowed } = judgeDescribedGroups(body.groups, judge, denial, describeGroupsResponseDefaults)
      body.groups = allowed
      return ruling
    },
    response: (body, judge) => maskGroups(body, judge, denial),
  }
}

function denial(groupId: string) {
  const errorCode: number = ErrorCode.GROUP_AUTHORIZATION_FAILED
  return { ...describeGroupsResponseDescribedGroupDefaults(), groupId, errorCode }
}
