/**
 * DescribeShareGroupOffsets: Describe on every group, then Describe on every topic; where all topics of a group are asked
 * for, those that may not be described are left out. (KafkaApis.handleDescribeShareGroupOffsetsRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { zeroUuid } from '../protocol/empty.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type {
  DescribeShareGroupOffsetsRequest,
  DescribeShareGroupOffsetsRequestGroup,
} from '../protocol/generated/describe-share-group-offsets-request.ts'
import {
  type DescribeShareGroupOffsetsResponseGroup,
  type DescribeShareGroupOffsetsResponseTopic,
  describeShareGroupOffsetsResponseDefaults,
  describeShareGroupOffsetsResponseGroupDefaults,
  describeShareGroupOffsetsResponsePartitionDefaults,
} from '../protocol/generated/describe-share-group-offsets-response.ts'
import { answer, type EnforcementOf, part, whole } from './enforcement.ts'
import { errorMessage } from './error-messages.ts'
import type { Judge } from './judge.ts'
import { group as groupRights, topic as topicRights } from './rights.ts'
import { append, splitDenied } from './split.ts'

type Denials = Map<string, readonly DescribeShareGroupOffsetsResponseTopic[]>

export function enforceDescribeShareGroupOffsets(): EnforcementOf<typeof ApiKey.DescribeShareGroupOffsets> {
  return {
    request(body, judge) {
      const denialsOf: Denials = new Map()
      const answeredHere: DescribeShareGroupOffsetsResponseGroup[] = []
      const kept = body.groups.filter(group => {
        const settled = judgeGroup(group, judge, denialsOf)
        if (settled !== undefined) answeredHere.push(settled)
        return settled === undefined
      })
      if (answeredHere.length === 0 && denialsOf.size === 0) return whole
      if (kept.length === 0) return answer({ ...describeShareGroupOffsetsResponseDefaults(), groups: answeredHere })
      body.groups = kept
      return part(({ groups }) => {
        for (const { groupId, errorCode, topics } of groups) {
          // A group's own error stands alone.
          if (errorCode === ErrorCode.NONE) append(topics, denialsOf.get(groupId) ?? [])
        }
        append(groups, answeredHere)
      })
    },
    response(body, judge, { request }) {
      const asked = request as DescribeShareGroupOffsetsRequest
      const all = new Set(asked.groups.flatMap(({ groupId, topics }) => (topics === null ? [groupId] : [])))
      const before = body.groups
      body.groups = before.map(group => hideGroup(group, judge, all.has(group.groupId)))
      return body.groups.some((group, at) => group !== before[at])
    },
  }
}

/** The whole answer for a group of which nothing is left to ask. */
function judgeGroup(
  group: DescribeShareGroupOffsetsRequestGroup,
  judge: Judge,
  denialsOf: Denials,
): DescribeShareGroupOffsetsResponseGroup | undefined {
  const { groupId, topics } = group
  if (!judge.allows(groupRights.describe, groupId)) return deniedGroup(groupId)
  const split = splitDenied(topics ?? [], ({ topicName }) => judge.allows(topicRights.describe, topicName))
  if (split === undefined) return undefined
  const denials = split.denied.map(({ topicName, partitions }) => deniedTopic(topicName, partitions))
  if (split.allowed.length === 0) {
    return { ...describeShareGroupOffsetsResponseGroupDefaults(), groupId, topics: denials }
  }
  group.topics = split.allowed
  denialsOf.set(groupId, denials)
  return undefined
}

/** The same group where nothing is to be hidden. */
function hideGroup(
  group: DescribeShareGroupOffsetsResponseGroup,
  judge: Judge,
  isAll: boolean,
): DescribeShareGroupOffsetsResponseGroup {
  if (!judge.sees(groupRights.describe, group.groupId)) return deniedGroup(group.groupId)
  const isSeen = ({ topicName }: DescribeShareGroupOffsetsResponseTopic) => judge.sees(topicRights.describe, topicName)
  const split = splitDenied(group.topics, isSeen)
  if (split === undefined) return group
  const denials = isAll ? [] : split.denied.map(hideTopic)
  return { ...group, topics: [...split.allowed, ...denials] }
}

function hideTopic({ topicName, partitions }: DescribeShareGroupOffsetsResponseTopic) {
  return deniedTopic(
    topicName,
    partitions.map(({ partitionIndex }) => partitionIndex),
  )
}

function deniedGroup(groupId: string): DescribeShareGroupOffsetsResponseGroup {
  const errorCode: number = ErrorCode.GROUP_AUTHORIZATION_FAILED
  return { ...describeShareGroupOffsetsResponseGroupDefaults(), groupId, errorCode }
}

function deniedTopic(topicName: string, partitions: readonly number[]): DescribeShareGroupOffsetsResponseTopic {
  const errorCode: number = ErrorCode.TOPIC_AUTHORIZATION_FAILED
  const denied = { ...describeShareGroupOffsetsResponsePartitionDefaults(), startOffset: -1n, errorCode }
  return {
    topicName,
    topicId: zeroUuid,
    partitions: partitions.map(at => ({ ...denied, partitionIndex: at, errorMessage: errorMessage(errorCode) })),
  }
}
