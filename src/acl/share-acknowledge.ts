/**
 * ShareAcknowledge: Read on the group, then Read on every topic; a denied topic's error stands on its partitions. It
 * counts as a request of the share session, so it is forwarded even where nothing of it is allowed.
 * (KafkaApis.handleShareAcknowledgeRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { AcknowledgeTopic, ShareAcknowledgeRequest } from '../protocol/generated/share-acknowledge-request.ts'
import {
  type ShareAcknowledgeResponse,
  type ShareAcknowledgeTopicResponse,
  shareAcknowledgeResponseDefaults,
  shareAcknowledgeResponsePartitionDataDefaults,
} from '../protocol/generated/share-acknowledge-response.ts'
import type { TopicCatalog } from '../topology/topic-catalog.ts'
import { answer, type EnforcementOf, part, type Ruling, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { topic as topicRights } from './rights.ts'
import { memberError, type ShareFacts } from './share-member.ts'
import { append, splitDenied } from './split.ts'

const Epoch = { initial: 0, final: -1 } as const

export function enforceShareAcknowledge({
  topics,
  sessions,
}: ShareFacts): EnforcementOf<typeof ApiKey.ShareAcknowledge> {
  return {
    request(body, judge, { client }) {
      const errorCode = memberError(body, judge)
      if (errorCode !== 0) return refuse(errorCode)
      // Kafka opens no session by acknowledging.
      if (body.shareSessionEpoch === Epoch.initial) return refuse(ErrorCode.INVALID_SHARE_SESSION_EPOCH)
      if (sessions.find(client, body) === undefined) return refuse(ErrorCode.SHARE_SESSION_NOT_FOUND)
      if (body.shareSessionEpoch === Epoch.final) sessions.forget(client, body)
      const ids = body.topics.map(({ topicId }) => topicId)
      return topics.whenKnown(ids, () => judgeTopics(body, judge, topics))
    },

    response(body, _judge, { client, request }) {
      if (body.errorCode === ErrorCode.SHARE_SESSION_NOT_FOUND) {
        sessions.forget(client, request as ShareAcknowledgeRequest)
      }
      return false
    },
  }
}

function judgeTopics(
  body: ShareAcknowledgeRequest,
  judge: Judge,
  catalog: TopicCatalog,
): Ruling<ShareAcknowledgeResponse> {
  const denials: ShareAcknowledgeTopicResponse[] = []
  const split = splitDenied(body.topics, topic => {
    const name = catalog.nameOf(topic.topicId)
    if (name !== undefined && judge.allows(topicRights.read, name)) return true
    denials.push(denial(topic, name === undefined ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.TOPIC_AUTHORIZATION_FAILED))
    return false
  })
  if (split === undefined) return whole
  body.topics = split.allowed
  // An error of the whole stands alone.
  return part(({ errorCode, responses }) => {
    if (errorCode === 0) append(responses, denials)
  })
}

function refuse(errorCode: number): Ruling<ShareAcknowledgeResponse> {
  return answer({ ...shareAcknowledgeResponseDefaults(), errorCode })
}

function denial({ topicId, partitions }: AcknowledgeTopic, errorCode: number): ShareAcknowledgeTopicResponse {
  const defaults = shareAcknowledgeResponsePartitionDataDefaults()
  return { topicId, partitions: partitions.map(({ partitionIndex }) => ({ ...defaults, partitionIndex, errorCode })) }
}
