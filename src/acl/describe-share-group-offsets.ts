/**
 * DescribeShareGroupOffsets: Describe on every group, then Describe on every topic; where all topics of a group are asked
 * for, those that may not be described are left out. A group that is named several times is answered as often.
 * (KafkaApis.handleDescribeShareGroupOffsetsRequest)
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
import { inTurn } from './repeated.ts'
import { group as groupRights, topic as topicRights } from './rights.ts'
import { append, splitDenied } from './split.ts'

type Group = DescribeShareGroupOffsetsResponseGroup

const groupIdOf = ({ groupId }: { readonly groupId: string }): string => groupId

export function enforceDescribeShareGroupOffsets(): EnforcementOf<typeof ApiKey.DescribeShareGroupOffsets> {
  return {
    request(body, judge) {
      const judged = body.groups.map(group => judgeGroup(group, judge))
      if (judged.every(({ settled, denied }) => settled === undefined && denied.length === 0)) return whole
      const kept = judged.filter(({ settled }) => settled === undefined)
      if (kept.length === 0) {
        return answer({ ...describeShareGroupOffsetsResponseDefaults(), groups: answers(judged, () => undefined) })
      }
      body.groups = kept.map(({ group }) => group)
      return part(response => {
        const answered = inTurn(response.groups, groupIdOf)
        response.groups = answers(judged, answered)
      })
    },
    response(body, judge, { request }) {
      const asked = inTurn((request as DescribeShareGroupOffsetsRequest).groups, groupIdOf)
      const before = body.groups
      body.groups = before.map(group => hideGroup(group, judge, asked(group.groupId)?.topics === null))
      return body.groups.some((group, at) => group !== before[at])
    },
  }
}

interface Judged {
  /** What is left of it. */
  readonly group: DescribeShareGroupOffsetsRequestGroup
  /** Its answer, where nothing is left to ask. */
  readonly settled?: Group
  /** Topics that join the broker's answer. */
  readonly denied: readonly DescribeShareGroupOffsetsResponseTopic[]
}

function judgeGroup(group: DescribeShareGroupOffsetsRequestGroup, judge: Judge): Judged {
  const { groupId, topics } = group
  if (!judge.allows(groupRights.describe, groupId)) return { group, settled: deniedGroup(groupId), denied: [] }
  const split = splitDenied(topics ?? [], ({ topicName }) => judge.allows(topicRights.describe, topicName))
  if (split === undefined) return { group, denied: [] }
  const denied = split.denied.map(({ topicName, partitions }) => deniedTopic(topicName, partitions))
  if (split.allowed.length > 0) return { group: { groupId, topics: split.allowed }, denied }
  return { group, settled: { ...describeShareGroupOffsetsResponseGroupDefaults(), groupId }, denied }
}

/** One for each group that was asked for, in that order. */
function answers(judged: readonly Judged[], answered: (groupId: string) => Group | undefined): Group[] {
  return judged.flatMap(({ group, settled, denied }) => {
    const told = settled ?? answered(group.groupId)
    // A group's own error stands alone.
    if (told?.errorCode === ErrorCode.NONE) append(told.topics, denied)
    return told ?? []
  })
}

/** The same group where nothing is to be hidden. */
function hideGroup(group: Group, judge: Judge, isAll: boolean): Group {
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

function deniedGroup(groupId: string): Group {
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
