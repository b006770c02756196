/**
 * The topics whose offsets a group commits, in a transaction or without one: Read on every topic. There is no error of
 * the whole in either answer, so every denial stands on the partitions.
 */
import { ErrorCode } from '../protocol/error-code.ts'
import type { TopicCatalog } from '../topology/topic-catalog.ts'
import { answer, part, type Ruling, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { joinRepeated } from './repeated.ts'
import { topic as topicRights } from './rights.ts'
import { splitDenied } from './split.ts'

interface CommittedTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly { readonly partitionIndex: number }[]
}

interface ToldTopic {
  name: string
  topicId: string
  partitions: { partitionIndex: number; errorCode: number }[]
}

export interface Committed<Topic extends CommittedTopic, Response extends { topics: ToldTopic[] }> {
  readonly body: { topics: Topic[] }
  readonly judge: Judge
  readonly catalog: TopicCatalog
  /** Topics are named by their ids in this version. */
  readonly byId: boolean
  readonly defaults: () => Response
}

export function judgeCommitted<Topic extends CommittedTopic, Response extends { topics: ToldTopic[] }>(
  committed: Committed<Topic, Response>,
): Ruling<Response> | Promise<Ruling<Response>> {
  const { body, catalog, byId } = committed
  if (!byId) return judgeNamed(committed, ({ name }) => name)
  const ids = body.topics.map(({ topicId }) => topicId)
  return catalog.whenKnown(ids, () => judgeNamed(committed, ({ topicId }) => catalog.nameOf(topicId)))
}

function judgeNamed<Topic extends CommittedTopic, Response extends { topics: ToldTopic[] }>(
  { body, judge, defaults }: Committed<Topic, Response>,
  nameOf: (topic: Topic) => string | undefined,
): Ruling<Response> {
  const denials: ToldTopic[] = []
  const split = splitDenied(body.topics, topic => {
    const name = nameOf(topic)
    if (name !== undefined && judge.allows(topicRights.read, name)) return true
    const errorCode = name === undefined ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.TOPIC_AUTHORIZATION_FAILED
    denials.push(toldOn(topic, errorCode))
    return false
  })
  if (split === undefined) return whole
  if (split.allowed.length === 0) return answer({ ...defaults(), topics: joined(denials) })
  body.topics = split.allowed
  // Where nothing is denied Kafka answers what a request names twice as often; else it gathers the answer.
  return part(response => {
    response.topics = joined([...response.topics, ...denials])
  })
}

function joined(topics: readonly ToldTopic[]): ToldTopic[] {
  return joinRepeated(
    topics,
    ({ name, topicId }) => topicId + name,
    ({ partitions }) => partitions,
  )
}

/** Of a right that the whole request needs. */
export function refuseCommitted<Response extends { topics: ToldTopic[] }>(
  topics: readonly CommittedTopic[],
  errorCode: number,
  defaults: () => Response,
): Ruling<Response> {
  return answer({ ...defaults(), topics: topics.map(topic => toldOn(topic, errorCode)) })
}

function toldOn({ name, topicId, partitions }: CommittedTopic, errorCode: number): ToldTopic {
  return { name, topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
}
