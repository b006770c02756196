/**
 * Metadata: Describe on every topic, and Create on those that asking would create. A denied name is answered without
 * anybody looking whether it exists, and never reaches a broker; among all topics, what may not be described is left
 * out. (KafkaApis.handleTopicMetadataRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { zeroUuid } from '../protocol/empty.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { MetadataRequest, MetadataRequestTopic } from '../protocol/generated/metadata-request.ts'
import {
  type MetadataResponse,
  type MetadataResponseTopic,
  metadataResponseDefaults,
  metadataResponseTopicDefaults,
} from '../protocol/generated/metadata-response.ts'
import type { TopicCatalog } from '../topology/topic-catalog.ts'
import { type AclFacts, answer, type EnforcementOf, part, type Ruling, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { topic as topicRights } from './rights.ts'
import { append } from './split.ts'
import { noteCreation, uncreatable } from './topic-creation.ts'

/** Requests say from this version on whether topics may be created by asking; before, they always may. */
const creationFlagFrom = 4
/** Requests may name topics by id from this version on. */
const idsFrom = 12
/** Before it an empty list asks for all topics, from it on for none. */
const emptyMeansNoneFrom = 1

export function enforceMetadata({
  topics: catalog,
  autoCreatesTopics,
}: AclFacts): EnforcementOf<typeof ApiKey.Metadata> {
  return {
    request(body, judge, { header: { apiVersion } }) {
      if (body.topics === null || asksForAll(body, apiVersion)) return whole
      if (apiVersion < idsFrom && body.topics.some(isUnnamed)) return refuseUnnamed(body.topics)
      const topics = askedFor(body.topics)
      const ids = topics.flatMap(({ topicId, name }) => (name === null ? [topicId] : []))
      return catalog.whenKnown(ids, () => {
        const { kept, denials } = judgeDescribe(topics, judge, catalog)
        const suspects = mayCreate(body, apiVersion)
          ? uncreatable(
              kept.flatMap(({ name }) => name ?? []),
              judge,
            )
          : []
        const isForbidden = forbidCreation(body, { apiVersion, kept, suspects, judge })
        if (suspects.length === 0 || !autoCreatesTopics()) {
          return forward(body, kept, denials, { apiVersion, isForbidden })
        }
        // Looked up now, as Kafka does: a topic that was there a minute ago would be created by asking for it.
        return catalog.existing(suspects).then(existing => {
          const missing = new Set(suspects.filter(name => !existing.has(name) && !judge.allowsBeside(create, name)))
          for (const name of missing) denials.push(denial({ name, topicId: zeroUuid }, denied))
          return forward(
            body,
            kept.filter(({ name }) => name === null || !missing.has(name)),
            denials,
            { apiVersion, isForbidden },
          )
        })
      })
    },

    response(body, judge, { request, header }) {
      catalog.learn(body.topics)
      if (mayCreate(request as MetadataRequest, header.apiVersion) && autoCreatesTopics()) noteCreations(body, judge)
      const isHidden = hideTopics(body, judge, request as MetadataRequest, header.apiVersion)
      return maskOperations(body, judge) || isHidden
    },
  }
}

const { create, describe } = topicRights
const denied = ErrorCode.TOPIC_AUTHORIZATION_FAILED

function asksForAll({ topics }: MetadataRequest, apiVersion: number): boolean {
  return topics === null || (topics.length === 0 && apiVersion < emptyMeansNoneFrom)
}

const hasBoth = ({ name, topicId }: MetadataRequestTopic): boolean => name !== null && topicId !== zeroUuid
const isUnnamed = ({ name, topicId }: MetadataRequestTopic): boolean => name === null || topicId !== zeroUuid

/** What Kafka looks at: where one id is given, names are passed over; what comes twice is answered once. */
function askedFor(topics: readonly MetadataRequestTopic[]): MetadataRequestTopic[] {
  const ids = new Set(topics.map(({ topicId }) => topicId).filter(topicId => topicId !== zeroUuid))
  if (ids.size > 0) return Array.from(ids, topicId => ({ topicId, name: null }))
  return Array.from(new Set(topics.map(({ name }) => name)), name => ({ topicId: zeroUuid, name }))
}

/** MetadataRequest.getErrorResponse of these versions, which have the field for an id but do not take one. */
function refuseUnnamed(topics: readonly MetadataRequestTopic[]): Ruling<MetadataResponse> {
  const errorCode: number = ErrorCode.INVALID_REQUEST
  const refused = topics.map(({ name }) => denial({ name: name ?? '', topicId: zeroUuid }, errorCode))
  return answer({ ...metadataResponseDefaults(), topics: refused })
}

function judgeDescribe(topics: readonly MetadataRequestTopic[], judge: Judge, catalog: TopicCatalog) {
  const denials: MetadataResponseTopic[] = []
  const kept = topics.filter(topic => {
    const name = topic.name ?? catalog.nameOf(topic.topicId)
    if (name !== undefined && judge.allows(describe, name)) return true
    denials.push(denial(topic, name === undefined ? ErrorCode.UNKNOWN_TOPIC_ID : denied))
    return false
  })
  return { kept, denials }
}

function mayCreate({ allowAutoTopicCreation }: MetadataRequest, apiVersion: number): boolean {
  return apiVersion < creationFlagFrom || allowAutoTopicCreation
}

/** Brokers answer so for a topic that they are about to create; only then was the right to create it used. */
const beingCreated: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.LEADER_NOT_AVAILABLE,
])

function noteCreations({ topics }: MetadataResponse, judge: Judge): void {
  for (const { errorCode, name } of topics) {
    if (name !== null && beingCreated.has(errorCode)) noteCreation(name, judge)
  }
}

/**
 * Whether brokers create what is asked for was looked up a while ago, and a topic that is there may be gone in a moment:
 * where the client may create none of its topics, the request says so.
 */
function forbidCreation(
  body: MetadataRequest,
  {
    apiVersion,
    kept,
    suspects,
    judge,
  }: {
    readonly apiVersion: number
    readonly kept: readonly MetadataRequestTopic[]
    readonly suspects: readonly string[]
    readonly judge: Judge
  },
): boolean {
  if (apiVersion < creationFlagFrom || suspects.length === 0) return false
  if (kept.some(({ name }) => name !== null && judge.seesBeside(create, name))) return false
  body.allowAutoTopicCreation = false
  return true
}

function forward(
  body: MetadataRequest,
  kept: MetadataRequestTopic[],
  denials: readonly MetadataResponseTopic[],
  { apiVersion, isForbidden }: { readonly apiVersion: number; readonly isForbidden: boolean },
): Ruling<MetadataResponse> {
  const isUnchanged = !isForbidden && denials.length === 0 && kept.length === body.topics?.length
  const isWhole = isUnchanged && !(body.topics ?? []).some(hasBoth)
  if (isWhole) return whole
  body.topics = kept
  // Version 0 cannot ask for no topic: what it then gets of all topics is dropped.
  const isAll = asksForAll(body, apiVersion)
  return part(response => {
    if (isAll) response.topics = []
    append(response.topics, denials)
  })
}

function denial({ name, topicId }: { name: string | null; topicId: string }, errorCode: number): MetadataResponseTopic {
  return { ...metadataResponseTopicDefaults(), errorCode, name, topicId: name === null ? topicId : zeroUuid }
}

/**
 * What was asked for and has been revoked since is denied, by the id alone where that was what was asked for; among all
 * topics it is left out.
 */
function hideTopics(body: MetadataResponse, judge: Judge, request: MetadataRequest, apiVersion: number): boolean {
  const isAll = asksForAll(request, apiVersion)
  const usesIds = request.topics?.some(({ topicId }) => topicId !== zeroUuid) ?? false
  const hidden = ({ name, topicId }: MetadataResponseTopic) => denial({ name: usesIds ? null : name, topicId }, denied)
  // Beside an id, an empty name is Kafka's way to say none.
  const isSeen = ({ name }: MetadataResponseTopic): boolean => !name || judge.sees(describe, name)
  if (body.topics.every(isSeen)) return false
  body.topics = body.topics.flatMap(topic => (isSeen(topic) ? [topic] : isAll ? [] : [hidden(topic)]))
  return true
}

/** KIP-430: what the gateway may do upstream is no news for its clients. */
function maskOperations(body: MetadataResponse, judge: Judge): boolean {
  const before = body.clusterAuthorizedOperations
  body.clusterAuthorizedOperations = judge.authorizedOnCluster(before)
  let isChanged = body.clusterAuthorizedOperations !== before
  for (const topic of body.topics) {
    if (topic.name === null) continue
    const bits = judge.authorizedOperations(topic.topicAuthorizedOperations, topicRights, topic.name)
    isChanged ||= bits !== topic.topicAuthorizedOperations
    topic.topicAuthorizedOperations = bits
  }
  return isChanged
}
