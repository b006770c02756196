/**
 * OffsetCommit: Read on the group, then Read on every topic. There is no error of the whole: a denied group is told on
 * every partition. (KafkaApis.handleOffsetCommitRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { OffsetCommitRequest, OffsetCommitRequestTopic } from '../protocol/generated/offset-commit-request.ts'
import {
  type OffsetCommitResponse,
  type OffsetCommitResponseTopic,
  offsetCommitResponseDefaults,
} from '../protocol/generated/offset-commit-response.ts'
import { type AclFacts, answer, type EnforcementOf, part, type Ruling, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { joinRepeated } from './repeated.ts'
import { group, topic as topicRights } from './rights.ts'
import { append, splitDenied } from './split.ts'

const topicIdsFrom = 10

export function enforceOffsetCommit({ topics }: AclFacts): EnforcementOf<typeof ApiKey.OffsetCommit> {
  return {
    request(body, judge, { header }) {
      if (!judge.allows(group.read, body.groupId)) {
        const denials = body.topics.map(topic => denial(topic, ErrorCode.GROUP_AUTHORIZATION_FAILED))
        return answer({ ...offsetCommitResponseDefaults(), topics: denials })
      }
      if (header.apiVersion < topicIdsFrom) return judgeTopics(body, judge, ({ name }) => name)
      const ids = body.topics.map(({ topicId }) => topicId)
      return topics.whenKnown(ids, () => judgeTopics(body, judge, ({ topicId }) => topics.nameOf(topicId)))
    },
  }
}

function judgeTopics(
  body: OffsetCommitRequest,
  judge: Judge,
  nameOf: (topic: OffsetCommitRequestTopic) => string | undefined,
): Ruling<OffsetCommitResponse> {
  const denials: OffsetCommitResponseTopic[] = []
  const split = splitDenied(body.topics, topic => {
    const name = nameOf(topic)
    if (name !== undefined && judge.allows(topicRights.read, name)) return true
    denials.push(denial(topic, name === undefined ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.TOPIC_AUTHORIZATION_FAILED))
    return false
  })
  if (split === undefined) return whole
  const joined = joinRepeated(
    denials,
    ({ name, topicId }) => topicId + name,
    ({ partitions }) => partitions,
  )
  if (split.allowed.length === 0) return answer({ ...offsetCommitResponseDefaults(), topics: joined })
  body.topics = split.allowed
  return part(({ topics }) => append(topics, joined))
}

function denial({ name, topicId, partitions }: OffsetCommitRequestTopic, errorCode: number): OffsetCommitResponseTopic {
  return { name, topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
}
