/**
 * OffsetFetch: Describe on every group, then Describe on every topic; where all topics of a group are asked for, those
 * that may not be described are left out. Before version 8 one request is about one group; version 1 cannot tell an error
 * of the whole, so that a denied group is told on every partition. A group's own error stands alone: no denial beside it.
 * A group that is named several times is answered as often.
 * (KafkaApis.handleOffsetFetchRequest, fetchOffsetsForGroup, fetchAllOffsetsForGroup, OffsetFetchResponse.groupError)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { OffsetFetchRequest, OffsetFetchRequestGroup } from '../protocol/generated/offset-fetch-request.ts'
import {
  type OffsetFetchResponse,
  type OffsetFetchResponseGroup,
  offsetFetchResponseDefaults,
  offsetFetchResponseGroupDefaults,
} from '../protocol/generated/offset-fetch-response.ts'
import type { TopicCatalog } from '../topology/topic-catalog.ts'
import { type AclFacts, answer, type EnforcementOf, part, type Ruling, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { type AskedTopic, deniedOffsets, hideOffsets } from './offset-fetch-topics.ts'
import { inTurn } from './repeated.ts'
import { group as groupRights, topic as topicRights } from './rights.ts'
import { append, splitDenied } from './split.ts'

const wholeErrorFrom = 2
const manyGroupsFrom = 8
const topicIdsFrom = 10

type Answered = Pick<OffsetFetchResponse, 'topics' | 'errorCode'>
type NameOf = (topic: AskedTopic) => string | undefined

export function enforceOffsetFetch({ topics: catalog }: AclFacts): EnforcementOf<typeof ApiKey.OffsetFetch> {
  const nameOf = nameFinder(catalog)
  return {
    request(body, judge, { header: { apiVersion } }) {
      if (apiVersion < manyGroupsFrom) return judgeOne(body, judge, apiVersion)
      const ids = apiVersion < topicIdsFrom ? [] : body.groups.flatMap(({ topics }) => (topics ?? []).map(toId))
      return catalog.whenKnown(ids, () => judgeMany(body, judge, nameOf(apiVersion)))
    },
    response(body, judge, { request, header: { apiVersion } }) {
      const asked = request as OffsetFetchRequest
      if (apiVersion < manyGroupsFrom) return hideOne(body, judge, asked, apiVersion)
      const ids = apiVersion < topicIdsFrom ? [] : body.groups.flatMap(({ topics }) => topics.map(toId))
      return catalog.whenAllKnown(ids, () => hideMany(body, judge, asked, nameOf(apiVersion)))
    },
  }
}

const groupIdOf = ({ groupId }: { readonly groupId: string }): string => groupId
const toId = ({ topicId }: { readonly topicId: string }): string => topicId
const byName: NameOf = ({ name }) => name

function nameFinder(catalog: TopicCatalog): (apiVersion: number) => NameOf {
  const byId: NameOf = ({ topicId }) => (topicId === undefined ? undefined : catalog.nameOf(topicId))
  return apiVersion => (apiVersion < topicIdsFrom ? byName : byId)
}

function judgeOne(body: OffsetFetchRequest, judge: Judge, apiVersion: number): Ruling<OffsetFetchResponse> {
  const { groupId, topics } = body
  if (!judge.allows(groupRights.describe, groupId)) return answer(deniedOne(topics, apiVersion))
  const { denials, allowed } = judgeTopics(topics, judge, byName)
  if (denials.length === 0) return whole
  if (allowed.length === 0) return answer({ ...offsetFetchResponseDefaults(), topics: denials })
  body.topics = allowed
  return part(response => addDenials(response, denials))
}

function deniedOne(topics: OffsetFetchRequest['topics'], apiVersion: number): OffsetFetchResponse {
  const errorCode: number = ErrorCode.GROUP_AUTHORIZATION_FAILED
  if (apiVersion >= wholeErrorFrom) return { ...offsetFetchResponseDefaults(), errorCode }
  return { ...offsetFetchResponseDefaults(), topics: (topics ?? []).map(topic => deniedOffsets(topic, errorCode)) }
}

/** One that asks for all topics, which `null` says, has none denied. */
function judgeTopics<Topic extends AskedTopic>(topics: readonly Topic[] | null, judge: Judge, nameOf: NameOf) {
  const denials: ReturnType<typeof deniedOffsets<Topic>>[] = []
  const split = splitDenied(topics ?? [], topic => {
    const name = nameOf(topic)
    if (name !== undefined && judge.allows(topicRights.describe, name)) return true
    const isUnknown = name === undefined
    denials.push(deniedOffsets(topic, isUnknown ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.TOPIC_AUTHORIZATION_FAILED))
    return false
  })
  return { denials, allowed: split?.allowed ?? [] }
}

function addDenials<Topic>(answered: { errorCode: number; topics: Topic[] }, denials: readonly Topic[]): void {
  if (answered.errorCode === ErrorCode.NONE) append(answered.topics, denials)
}

function judgeMany(body: OffsetFetchRequest, judge: Judge, nameOf: NameOf): Ruling<OffsetFetchResponse> {
  const judged = body.groups.map(group => judgeGroup(group, judge, nameOf))
  if (judged.every(({ settled, denials }) => settled === undefined && denials.length === 0)) return whole
  const kept = judged.filter(({ settled }) => settled === undefined)
  if (kept.length === 0) {
    return answer({ ...offsetFetchResponseDefaults(), groups: answers(judged, () => undefined) })
  }
  body.groups = kept.map(({ group }) => group)
  return part(response => {
    response.groups = answers(judged, inTurn(response.groups, groupIdOf))
  })
}

interface Judged {
  /** What is left of it. */
  readonly group: OffsetFetchRequestGroup
  /** Its answer, where nothing is left to ask. */
  readonly settled?: OffsetFetchResponseGroup
  /** Topics that join its answer. */
  readonly denials: OffsetFetchResponseGroup['topics']
}

function judgeGroup(group: OffsetFetchRequestGroup, judge: Judge, nameOf: NameOf): Judged {
  const { groupId } = group
  if (!judge.allows(groupRights.describe, groupId)) return { group, settled: deniedGroup(groupId), denials: [] }
  const { denials, allowed } = judgeTopics(group.topics, judge, nameOf)
  if (denials.length === 0) return { group, denials }
  if (allowed.length > 0) return { group: { ...group, topics: allowed }, denials }
  return { group, settled: { ...offsetFetchResponseGroupDefaults(), groupId }, denials }
}

/** One for each group that was asked for, in that order. */
function answers(
  judged: readonly Judged[],
  answered: (groupId: string) => OffsetFetchResponseGroup | undefined,
): OffsetFetchResponseGroup[] {
  return judged.flatMap(({ group, settled, denials }) => {
    const told = settled ?? answered(group.groupId)
    if (told !== undefined) addDenials(told, denials)
    return told ?? []
  })
}

function deniedGroup(groupId: string): OffsetFetchResponseGroup {
  return { ...offsetFetchResponseGroupDefaults(), groupId, errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED }
}

function hideOne(body: Answered, judge: Judge, { groupId, topics }: OffsetFetchRequest, apiVersion: number): boolean {
  if (judge.sees(groupRights.describe, groupId))
    return hideOffsets(body, judge, { isAll: topics === null, nameOf: byName })
  const denied = deniedOne(body.topics.map(toAsked), apiVersion)
  body.errorCode = denied.errorCode
  body.topics = denied.topics
  return true
}

function toAsked({ name, partitions }: OffsetFetchResponse['topics'][number]) {
  return { name, partitionIndexes: partitions.map(({ partitionIndex }) => partitionIndex) }
}

function hideMany(body: OffsetFetchResponse, judge: Judge, asked: OffsetFetchRequest, nameOf: NameOf): boolean {
  const askedFor = inTurn(asked.groups, groupIdOf)
  let isChanged = false
  body.groups = body.groups.map(group => {
    const { groupId } = group
    const isAll = askedFor(groupId)?.topics === null
    if (judge.sees(groupRights.describe, groupId)) {
      isChanged = hideOffsets(group, judge, { isAll, nameOf }) || isChanged
      return group
    }
    isChanged = true
    return deniedGroup(groupId)
  })
  return isChanged
}
