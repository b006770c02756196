/**
 * CreatePartitions: Alter on every topic. A name that comes twice is refused before anybody asks for rights; a denial has
 * no text. (ControllerApis.createPartitions)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type CreatePartitionsTopicResult,
  createPartitionsResponseDefaults,
} from '../protocol/generated/create-partitions-response.ts'
import { answer, type EnforcementOf, part, whole } from './enforcement.ts'
import { repeatedValues } from './repeated.ts'
import { topic as topicRights } from './rights.ts'
import { append, splitDenied } from './split.ts'

export function enforceCreatePartitions(): EnforcementOf<typeof ApiKey.CreatePartitions> {
  return {
    request(body, judge) {
      const repeated = repeatedValues(body.topics.map(({ name }) => name))
      const isAllowed = (name: string): boolean => !repeated.has(name) && judge.allows(topicRights.alter, name)
      const split = splitDenied(body.topics, ({ name }) => isAllowed(name))
      if (split === undefined) return whole
      const names = new Set(split.denied.map(({ name }) => name))
      const failures = [...names].map(name => (repeated.has(name) ? duplicate(name) : denial(name)))
      if (split.allowed.length === 0) return answer({ ...createPartitionsResponseDefaults(), results: failures })
      body.topics = split.allowed
      return part(({ results }) => append(results, failures))
    },
  }
}

function duplicate(name: string): CreatePartitionsTopicResult {
  return { name, errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' }
}

function denial(name: string): CreatePartitionsTopicResult {
  return { name, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, errorMessage: null }
}
