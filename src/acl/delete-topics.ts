/**
 * DeleteTopics: Delete on the cluster, else on every topic; and Describe, without which nothing is disclosed: neither
 * whether a name exists nor the name behind an id. Entries that come twice, or say both or neither, are refused before
 * anybody asks for rights. (ControllerApis.deleteTopics)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { zeroUuid } from '../protocol/empty.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { DeleteTopicState, DeleteTopicsRequest } from '../protocol/generated/delete-topics-request.ts'
import {
  type DeletableTopicResult,
  deleteTopicsResponseDefaults,
} from '../protocol/generated/delete-topics-response.ts'
import type { TopicCatalog } from '../topology/topic-catalog.ts'
import { type AclFacts, answer, type EnforcementOf, part, whole } from './enforcement.ts'
import { errorMessage } from './error-messages.ts'
import type { Judge } from './judge.ts'
import { repeatedValues } from './repeated.ts'
import { cluster, clusterName, type Right, topic as topicRights } from './rights.ts'
import { append } from './split.ts'

const statesFrom = 6

/** Not among the operations of a cluster that Kafka lists, yet asked for: an ACL for all operations grants it. */
const deleteOnCluster: Right = Object.freeze({ ...cluster.alter, operation: 'delete', bit: topicRights.delete.bit })

export function enforceDeleteTopics({ topics: catalog }: AclFacts): EnforcementOf<typeof ApiKey.DeleteTopics> {
  return {
    request(body, judge, { header: { apiVersion } }) {
      const states = apiVersion < statesFrom ? body.topicNames.map(name => ({ name, topicId: zeroUuid })) : body.topics
      const ids = states.flatMap(({ name, topicId }) => (name === null && topicId !== zeroUuid ? [topicId] : []))
      return catalog.whenKnown(ids, async () => {
        const { kept, failures, doubtful } = judgeStates(states, judge, catalog)
        // Who may describe but not delete a topic is told whether it exists.
        const existing = doubtful.length === 0 ? new Set() : await catalog.existing(doubtful)
        append(
          failures,
          doubtful.map(name => byName(name, existing.has(name) ? denied : unknownName)),
        )
        if (failures.length === 0) return whole
        if (kept.length === 0) return answer({ ...deleteTopicsResponseDefaults(), responses: failures })
        if (apiVersion < statesFrom) body.topicNames = kept.flatMap(({ name }) => name ?? [])
        else body.topics = kept
        return part(({ responses }) => append(responses, failures))
      })
    },

    response({ responses }, judge, { request }) {
      const named = new Set((request as DeleteTopicsRequest).topics.map(({ name }) => name))
      const hidden = responses.filter(({ name, topicId }) => {
        return name !== null && topicId !== zeroUuid && !named.has(name) && !mayKnow(name, judge)
      })
      for (const response of hidden) response.name = null
      return hidden.length > 0
    },
  }
}

const { delete: remove, describe } = topicRights
const denied = failure(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
const unknownName = failure(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)

type Failure = Pick<DeletableTopicResult, 'errorCode' | 'errorMessage'>

function failure(errorCode: number, text = errorMessage(errorCode)): Failure {
  return { errorCode, errorMessage: text }
}

const invalid = (text: string): Failure => failure(ErrorCode.INVALID_REQUEST, text)
const byName = (name: string, why: Failure): DeletableTopicResult => ({ name, topicId: zeroUuid, ...why })

function mayKnow(name: string, judge: Judge): boolean {
  return judge.sees(deleteOnCluster, clusterName) || judge.sees(remove, name) || judge.sees(describe, name)
}

function judgeStates(states: readonly DeleteTopicState[], judge: Judge, catalog: TopicCatalog) {
  const failures: DeletableTopicResult[] = []
  /** Denied, but whether they exist is no secret. */
  const doubtful: string[] = []
  const mayAll = judge.grants(deleteOnCluster, clusterName)
  const { valid, malformed } = withoutMalformed(states)
  append(failures, malformed)
  const kept = valid.filter(({ name, topicId }) => {
    const meant = name ?? catalog.nameOf(topicId)
    if (meant === undefined) failures.push({ name, topicId, ...failure(ErrorCode.UNKNOWN_TOPIC_ID) })
    else if (mayAll && !judge.policy.mustBeNamed(meant)) {
      judge.uses([remove, meant], [deleteOnCluster, clusterName])
      return true
    } else {
      const mayDelete = judge.allows(remove, meant)
      const mayDescribe = judge.sees(describe, meant)
      if (mayDelete && (mayDescribe || name === null)) return true
      if (name === null) failures.push({ name: mayDescribe ? meant : null, topicId, ...denied })
      else if (mayDescribe) doubtful.push(name)
      else failures.push(byName(name, denied))
    }
    return false
  })
  return { kept, failures, doubtful }
}

function withoutMalformed(states: readonly DeleteTopicState[]) {
  const keyOf = ({ name, topicId }: DeleteTopicState): string => (name === null ? `id ${topicId}` : `name ${name}`)
  const single = states.filter(({ name, topicId }) => (name === null) !== (topicId === zeroUuid))
  const repeated = repeatedValues(single.map(keyOf))
  const malformed = states
    .filter(({ name, topicId }) => (name === null) === (topicId === zeroUuid))
    .map(state => ({ ...state, ...invalid(state.name === null ? neither : both) }))
  for (const state of new Map(
    single.filter(state => repeated.has(keyOf(state))).map(state => [keyOf(state), state]),
  ).values()) {
    malformed.push({ ...state, ...invalid(state.name === null ? 'Duplicate topic id.' : 'Duplicate topic name.') })
  }
  return { valid: single.filter(state => !repeated.has(keyOf(state))), malformed }
}

const neither = 'Neither topic name nor id were specified.'
const both = 'You may not specify both topic name and topic id.'
