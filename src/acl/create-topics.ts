/**
 * CreateTopics: Create on the cluster, else on every topic. Names that come twice and the metadata log are refused before
 * anybody asks for rights. How a topic was made (partitions, replicas, settings) is told to whom may describe its settings.
 * Unlike Kafka, clients choose only those settings that are open. (ControllerApis.createTopics)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { zeroUuid } from '../protocol/empty.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { CreatableTopic, CreateTopicsRequest } from '../protocol/generated/create-topics-request.ts'
import {
  type CreatableTopicResult,
  creatableTopicResultDefaults,
  createTopicsResponseDefaults,
} from '../protocol/generated/create-topics-response.ts'
import { type AclFacts, answer, type EnforcementOf, part, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { repeatedValues } from './repeated.ts'
import { cluster, clusterName, topic as topicRights } from './rights.ts'
import { append } from './split.ts'
import { closedConfigs } from './topic-configs.ts'

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
      if (failures.size === 0) return whole
      if (allowed.length === 0) return answer({ ...createTopicsResponseDefaults(), topics: [...failures.values()] })
      body.topics = allowed
      return part(({ topics }) => append(topics, failures.values()))
    },

    response({ topics }, judge, { request, header: { apiVersion } }) {
      const created = topics.filter(({ errorCode }) => errorCode === ErrorCode.NONE)
      // The ids of a rehearsal are invented.
      if (!(request as CreateTopicsRequest).validateOnly) catalog.learn(created.filter(hasId))
      const secret =
        apiVersion < detailsFrom ? [] : created.filter(({ name }) => !judge.seesBeside(describeConfigs, name))
      for (const topic of secret) Object.assign(topic, withoutDetails)
      return secret.length > 0
    },
  }
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

function failureOf(
  { name, configs }: CreatableTopic,
  judge: Judge,
  topicConfigs: ReadonlySet<string> | undefined,
): Failure | undefined {
  if (name === metadataLog) return metadataLogRefused
  if (!judge.grants(cluster.create, clusterName) && !judge.allows(create, name)) return denied
  const closed = closedConfigs(configs, topicConfigs)
  return closed === undefined ? undefined : { errorCode: ErrorCode.POLICY_VIOLATION, errorMessage: closed }
}

function failed(name: string): CreatableTopicResult {
  return { ...creatableTopicResultDefaults(), name }
}

const hasId = ({ topicId }: CreatableTopicResult): boolean => topicId !== zeroUuid

const withoutDetails = Object.freeze({
  topicConfigErrorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
  numPartitions: -1,
  replicationFactor: -1,
  configs: [],
})
