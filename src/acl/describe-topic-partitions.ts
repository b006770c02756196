/**
 * DescribeTopicPartitions: Describe on every topic. An empty list asks for all topics; it is put to the broker as the list
 * of those that the client may describe, so that pages and the cursors between them know of no other. A cursor on a topic
 * that may not be described starts at the next one. (DescribeTopicPartitionsRequestHandler)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { DescribeTopicPartitionsRequest } from '../protocol/generated/describe-topic-partitions-request.ts'
import {
  type DescribeTopicPartitionsResponse,
  type DescribeTopicPartitionsResponseTopic,
  describeTopicPartitionsResponseDefaults,
  describeTopicPartitionsResponseTopicDefaults,
} from '../protocol/generated/describe-topic-partitions-response.ts'
import type { TopicCatalog } from '../topology/topic-catalog.ts'
import { type AclFacts, answer, type EnforcementOf, part, type Ruling, whole } from './enforcement.ts'
import { replaceHidden } from './hidden.ts'
import type { Judge } from './judge.ts'
import { topic as topicRights } from './rights.ts'
import { append, splitDenied } from './split.ts'

type Request = DescribeTopicPartitionsRequest
type Response = DescribeTopicPartitionsResponse
type Topic = DescribeTopicPartitionsResponseTopic

const { describe } = topicRights
const denied = ErrorCode.TOPIC_AUTHORIZATION_FAILED

export function enforceDescribeTopicPartitions({
  topics: catalog,
}: AclFacts): EnforcementOf<typeof ApiKey.DescribeTopicPartitions> {
  return {
    request(body, judge) {
      if (isMalformed(body)) return answerAll(body, ErrorCode.INVALID_REQUEST)
      return body.topics.length === 0 ? judgeAll(body, judge, catalog) : judgeNamed(body, judge)
    },

    response(body, judge, { request }) {
      catalog.learn(body.topics)
      const isSeen = ({ name }: Topic): boolean => name === null || judge.sees(describe, name)
      const isHidden = replaceHidden(body.topics, isSeen, ({ name }) => failed(name, denied))
      const isMoved = moveCursor(body, request as Request, judge)
      return maskOperations(body, judge) || isHidden || isMoved
    },
  }
}

/** Where topics are named, the cursor has to be on one of them. */
function isMalformed({ topics, cursor }: Request): boolean {
  if (cursor === null) return false
  return cursor.partitionIndex < 0 || (topics.length > 0 && !topics.some(({ name }) => name === cursor.topicName))
}

function answerAll({ topics }: Request, errorCode: number): Ruling<Response> {
  return answer({
    ...describeTopicPartitionsResponseDefaults(),
    topics: topics.map(({ name }) => failed(name, errorCode)),
  })
}

function judgeNamed(body: Request, judge: Judge): Ruling<Response> {
  // Names before the cursor are done with: Kafka neither judges nor answers them. Java compares UTF-16 units, too.
  const start = body.cursor?.topicName ?? ''
  const names = [...new Set(body.topics.map(({ name }) => name).filter(name => name >= start))]
  const split = splitDenied(names, name => judge.allows(describe, name))
  if (split === undefined) return whole
  const denials = split.denied.map(name => failed(name, denied))
  if (split.allowed.length === 0) return answer({ ...describeTopicPartitionsResponseDefaults(), topics: denials })
  narrow(body, split.allowed)
  return part(({ topics }) => append(topics, denials))
}

async function judgeAll(body: Request, judge: Judge, catalog: TopicCatalog): Promise<Ruling<Response>> {
  const start = body.cursor?.topicName ?? ''
  const names = (await catalog.all())
    .map(({ name }) => name)
    .filter(name => name >= start && judge.sees(describe, name))
  // An empty list would ask for everything.
  if (names.length === 0) return answer(describeTopicPartitionsResponseDefaults())
  narrow(body, names)
  // Nobody named them: what has gone since, or may not be described any more, is left out.
  return part(response => {
    response.topics = response.topics.filter(({ errorCode }) => !isGone.has(errorCode))
  })
}

const isGone: ReadonlySet<number> = new Set([denied, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])

function narrow(body: Request, names: readonly string[]): void {
  body.topics = [...names].sort(byUtf16).map(name => ({ name }))
  if (body.cursor !== null && !names.includes(body.cursor.topicName)) body.cursor = null
}

const byUtf16 = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** On from a topic that may not be described by now, to the next that may. */
function moveCursor(body: Response, { topics }: Request, judge: Judge): boolean {
  const { nextCursor } = body
  if (nextCursor === null || judge.sees(describe, nextCursor.topicName)) return false
  const names = topics.map(({ name }) => name).sort(byUtf16)
  const next = names.find(name => name > nextCursor.topicName && judge.sees(describe, name))
  body.nextCursor = next === undefined ? null : { topicName: next, partitionIndex: 0 }
  return true
}

function failed(name: string | null, errorCode: number): Topic {
  return { ...describeTopicPartitionsResponseTopicDefaults(), name, errorCode }
}

function maskOperations({ topics }: Response, judge: Judge): boolean {
  const changed = topics.filter(topic => {
    if (topic.name === null) return false
    const before = topic.topicAuthorizedOperations
    topic.topicAuthorizedOperations = judge.authorizedOperations(before, topicRights, topic.name)
    return topic.topicAuthorizedOperations !== before
  })
  return changed.length > 0
}
