/**
 * CreateTopics: Create on the cluster, else on every topic. Names that come twice and the metadata log are refused before
 * anybody asks for rights. How a topic was made (partitions, replicas, settings) is told to whom may describe its settings.
 * Unlike Kafka, clients choose only those settings that are open; that a topic exists is told first, as it is where a
 * CreateTopicPolicy of Kafka's refuses settings. (ControllerApis.createTopics, ReplicationControlManager.createTopics)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { CreatableTopic, CreateTopicsRequest } from '../protocol/generated/create-topics-request.ts'
import {
  type CreatableTopicResult,
  type CreateTopicsResponse,
  creatableTopicResultDefaults,
  createTopicsResponseDefaults,
} from '../protocol/generated/create-topics-response.ts'
import { type AclFacts, answer, type EnforcementOf, part, type Ruling, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { repeatedValues } from './repeated.ts'
import { cluster, clusterName, topic as topicRights } from './rights.ts'
import { append } from './split.ts'
import { closedConfigs } from './topic-configs.ts'
import { isTopicName } from './topic-names.ts'

export function enforceCreateTopics({
  topics: catalog,
  topicConfigs,
}: AclFacts): EnforcementOf<typeof ApiKey.CreateTopics> {
  return {
    request(body, judge) {
      const failures = new Map<string, CreatableTopicResult>()
      const repeated = repeatedValues(body.topics.map(({ name }) => name))
      const allowed = body.topics.filter(topic => {
        const failure = repeated.has(topic.name) ? duplicate : failureOf(topic, judge, topicConfigs)
        if (failure !== undefined) failures.set(topic.name, { ...failed(topic.name), ...failure })
        return failure === undefined
      })
      const closed = Array.from(failures.values()).filter(({ errorCode }) => errorCode === ErrorCode.POLICY_VIOLATION)
      if (closed.length === 0) return forward(body, allowed, failures.values())
      return catalog.existing(closed.map(({ name }) => name)).then(existing => {
        for (const result of closed) if (existing.has(result.name)) Object.assign(result, alreadyExists(result.name))
        return forward(body, allowed, failures.values())
      })
    },

    response({ topics }, judge, { request, header: { apiVersion } }) {
      const created = topics.filter(({ errorCode }) => errorCode === ErrorCode.NONE)
      // The ids of a rehearsal are invented.
      if (!(request as CreateTopicsRequest).validateOnly) catalog.learn(created)
      const secret =
        apiVersion < detailsFrom ? [] : created.filter(({ name }) => !judge.seesBeside(describeConfigs, name))
      for (const topic of secret) Object.assign(topic, withoutDetails)
      return secret.length > 0
    },
  }
}

function forward(
  body: CreateTopicsRequest,
  allowed: CreatableTopic[],
  failures: Iterable<CreatableTopicResult>,
): Ruling<CreateTopicsResponse> {
  if (allowed.length === body.topics.length) return whole
  if (allowed.length === 0) return answer({ ...createTopicsResponseDefaults(), topics: [...failures] })
  body.topics = allowed
  return part(({ topics }) => append(topics, failures))
}

/** Answers say from this version on how a topic was made. */
const detailsFrom = 5
const { create, describeConfigs } = topicRights

interface Failure {
  readonly errorCode: number
  readonly errorMessage: string
}

const duplicate: Failure = { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' }

const metadataLog = '__cluster_metadata'
const metadataLogRefused: Failure = {
  errorCode: ErrorCode.INVALID_REQUEST,
  errorMessage: `Creation of internal topic ${metadataLog} is prohibited.`,
}

const denied: Failure = { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, errorMessage: 'Authorization failed.' }

const alreadyExists = (name: string): Failure => ({
  errorCode: ErrorCode.TOPIC_ALREADY_EXISTS,
  errorMessage: `Topic '${name}' already exists.`,
})

function failureOf(
  { name, configs }: CreatableTopic,
  judge: Judge,
  topicConfigs: ReadonlySet<string> | undefined,
): Failure | undefined {
  if (name === metadataLog) return metadataLogRefused
  const onCluster = judge.policy.mustBeNamed(name) ? [] : [[cluster.create, clusterName] as const]
  if (!judge.allowsOneOf([create, name], ...onCluster)) return denied
  // A broker refuses such a name before it looks at settings.
  if (!isTopicName(name)) return undefined
  const closed = closedConfigs(configs, topicConfigs)
  return closed === undefined ? undefined : { errorCode: ErrorCode.POLICY_VIOLATION, errorMessage: closed }
}

function failed(name: string): CreatableTopicResult {
  return { ...creatableTopicResultDefaults(), name }
}

const withoutDetails = Object.freeze({
  topicConfigErrorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
  numPartitions: -1,
  replicationFactor: -1,
  configs: [],
})
