/**
 * StreamsGroupHeartbeat: Read on the group; where a topology comes with it, Describe on every topic it uses, one that is
 * denied denies the heartbeat. (KafkaApis.handleStreamsGroupHeartbeat)
 *
 * A broker creates the internal topics of a topology that are missing, with the rights of who asks: those of the gateway.
 * Kafka lets a member without Create join and tells it in the answer's status; here it does not join while a topic is
 * missing that it may not create, because any later heartbeat of the group would create it.
 *
 * Expressions for source topics are resolved as a consumer's are (member-expressions.ts), once, when they are sent: a
 * group's topology does not change. Brokers refuse them up to 4.4.
 */
import { clientIdOf, type Exchange } from '../pipeline/exchange.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { StreamsGroupHeartbeatRequestSubtopology as Subtopology } from '../protocol/generated/streams-group-heartbeat-request.ts'
import {
  type StreamsGroupHeartbeatResponse,
  streamsGroupHeartbeatResponseDefaults,
} from '../protocol/generated/streams-group-heartbeat-response.ts'
import { type AclFacts, answer, type EnforcementOf, part, type Ruling, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { group, topic as topicRights } from './rights.ts'
import { mayDescribeAll } from './subscribed-topics.ts'
import { closedConfigs } from './topic-configs.ts'
import { noteCreation, uncreatable } from './topic-creation.ts'
import { alternationOf, type TopicExpressions } from './topic-expressions.ts'
import { isInternalTopic, isTopicName } from './topic-names.ts'

type Response = StreamsGroupHeartbeatResponse

/** The epoch of who joins, or joins again. */
const joining = 0
/** Of one topology; each takes some milliseconds. */
const expressionsMax = 16
const expressionsLengthMax = 4096

export function enforceStreamsGroupHeartbeat(
  { topics: catalog, topicConfigs }: AclFacts,
  expressions: TopicExpressions,
): EnforcementOf<typeof ApiKey.StreamsGroupHeartbeat> {
  return {
    request(body, judge, exchange) {
      if (!judge.allows(group.read, body.groupId)) return refuse(ErrorCode.GROUP_AUTHORIZATION_FAILED)
      const subtopologies = body.topology?.subtopologies ?? []
      const refusal =
        refuseTopics(subtopologies, judge) ??
        refuseSettings(subtopologies, topicConfigs) ??
        refuseExpressions(subtopologies, expressions)
      if (refusal !== undefined) return refusal
      const resolve = () => forward(subtopologies, expressions, judge, exchange)
      const suspects = uncreatableTopics(subtopologies, judge)
      if (suspects.length === 0) return resolve()
      if (body.memberEpoch !== joining) {
        // A broker takes a topology from those alone who join, and has its own words for the others.
        body.topology = { ...body.topology!, subtopologies: [] }
        return part()
      }
      return catalog.existing(suspects).then(existing => {
        const missing = suspects.filter(name => !existing.has(name) && !judge.allowsBeside(topicRights.create, name))
        return missing.length === 0 ? resolve() : refuseCreation(missing)
      })
    },
    response: (body, judge) => hideAssigned(body, judge),
  }
}

function refuseTopics(subtopologies: readonly Subtopology[], judge: Judge): Ruling<Response> | undefined {
  const names = [...new Set(subtopologies.flatMap(usedTopics))]
  const internal = names.filter(isInternalTopic)
  if (internal.length > 0) {
    const text = `Use of Kafka internal topics ${internal.join(',')} in a Kafka Streams topology is prohibited.`
    return refuse(ErrorCode.STREAMS_INVALID_TOPOLOGY, text)
  }
  const invalid = names.filter(name => !isTopicName(name))
  if (invalid.length > 0) {
    return refuse(ErrorCode.STREAMS_INVALID_TOPOLOGY, `Topic names ${invalid.join(',')} are not valid topic names.`)
  }
  return mayDescribeAll(names, judge) ? undefined : refuse(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
}

function usedTopics(subtopology: Subtopology): string[] {
  return [...subtopology.sourceTopics, ...subtopology.repartitionSinkTopics, ...internalTopics(subtopology)]
}

/** Those that a broker creates where they are missing, with the settings that the topology gives them. */
function createdTopics({ repartitionSourceTopics, stateChangelogTopics }: Subtopology) {
  return [...repartitionSourceTopics, ...stateChangelogTopics]
}

const internalTopics = (subtopology: Subtopology): string[] => createdTopics(subtopology).map(({ name }) => name)

/** As in CreateTopics, in a code that streams clients know. */
function refuseSettings(
  subtopologies: readonly Subtopology[],
  open: ReadonlySet<string> | undefined,
): Ruling<Response> | undefined {
  const configs = subtopologies.flatMap(createdTopics).flatMap(({ topicConfigs }) => topicConfigs)
  const closed = closedConfigs(
    configs.map(({ key }) => ({ name: key })),
    open,
  )
  return closed === undefined ? undefined : refuse(ErrorCode.STREAMS_INVALID_TOPOLOGY, closed)
}

function refuseExpressions(
  subtopologies: readonly Subtopology[],
  expressions: TopicExpressions,
): Ruling<Response> | undefined {
  const asked = subtopologies.flatMap(({ sourceTopicRegex }) => sourceTopicRegex)
  const length = asked.reduce((sum, expression) => sum + expression.length, 0)
  if (asked.length > expressionsMax || length > expressionsLengthMax) {
    const bounds = `${expressionsMax} regular expressions, or ${expressionsLengthMax} characters of them`
    return refuse(ErrorCode.INVALID_REGULAR_EXPRESSION, `The topology has more than ${bounds}, for its source topics.`)
  }
  for (const expression of asked) {
    const problem = expressions.problemOf(expression)
    if (problem === undefined) continue
    const text = `SourceTopicRegex \`${expression}\` is not a valid regular expression: ${problem}.`
    return refuse(ErrorCode.INVALID_REGULAR_EXPRESSION, text)
  }
  return undefined
}

/** What may be created counts as used, be it there already: whichever member comes first creates it. */
function uncreatableTopics(subtopologies: readonly Subtopology[], judge: Judge): string[] {
  const names = [...new Set(subtopologies.flatMap(internalTopics))]
  const refused = new Set(uncreatable(names, judge))
  for (const name of names) if (!refused.has(name)) noteCreation(name, judge)
  return [...refused]
}

/** Kafka's words, which it puts into a status. */
function refuseCreation(names: readonly string[]): Ruling<Response> {
  return refuse(ErrorCode.TOPIC_AUTHORIZATION_FAILED, `Unauthorized to CREATE on topics ${names.join(', ')}.`)
}

function forward(
  subtopologies: readonly Subtopology[],
  expressions: TopicExpressions,
  judge: Judge,
  { client, header }: Exchange,
): Ruling<Response> | Promise<Ruling<Response>> {
  const asking = subtopologies.filter(({ sourceTopicRegex }) => sourceTopicRegex.length > 0)
  if (asking.length === 0) return whole
  const resolve = (asked: string) => expressions.resolve(asked, judge, client, clientIdOf(header))
  const resolved = asking.map(async subtopology => {
    const resolved = await Promise.all(subtopology.sourceTopicRegex.map(resolve))
    const found = resolved.map(({ names }) => alternationOf(names))
    // As many as before: copartition groups count them.
    subtopology.sourceTopicRegex = found.map(({ expression }) => expression)
    subtopology.sourceTopics = [...new Set([...subtopology.sourceTopics, ...found.flatMap(({ names }) => names)])]
  })
  return Promise.all(resolved).then(() => part())
}

/** What other members of the group are assigned. */
function hideAssigned({ partitionsByUserEndpoint }: Response, judge: Judge): boolean {
  let isChanged = false
  for (const endpoint of partitionsByUserEndpoint ?? []) {
    for (const field of ['activePartitions', 'standbyPartitions'] as const) {
      const seen = endpoint[field].filter(({ topic }) => judge.sees(topicRights.describe, topic))
      isChanged ||= seen.length < endpoint[field].length
      endpoint[field] = seen
    }
  }
  return isChanged
}

function refuse(errorCode: number, message: string | null = null): Ruling<Response> {
  return answer({ ...streamsGroupHeartbeatResponseDefaults(), errorCode, errorMessage: message })
}
