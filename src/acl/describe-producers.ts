/** DescribeProducers: what cannot be a topic's name is told to everybody; then Read on every topic; a denial is told, with its text, on every partition. (KafkaApis.handleDescribeProducersRequest) */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  describeProducersResponseDefaults,
  partitionResponseDefaults,
  type TopicResponse,
} from '../protocol/generated/describe-producers-response.ts'
import { answer, type EnforcementOf, part, whole } from './enforcement.ts'
import { errorMessage } from './error-messages.ts'
import { replaceHidden } from './hidden.ts'
import { topic as topicRights } from './rights.ts'
import { append, splitDenied } from './split.ts'
import { nameProblem } from './topic-names.ts'

export function enforceDescribeProducers(): EnforcementOf<typeof ApiKey.DescribeProducers> {
  return {
    request(body, judge) {
      const split = splitDenied(
        body.topics,
        ({ name }) => nameProblem(name) === undefined && judge.allows(topicRights.read, name),
      )
      if (split === undefined) return whole
      const denials = split.denied.map(({ name, partitionIndexes }) => denial(name, partitionIndexes))
      if (split.allowed.length === 0) return answer({ ...describeProducersResponseDefaults(), topics: denials })
      body.topics = split.allowed
      return part(({ topics }) => append(topics, denials))
    },

    response({ topics }, judge) {
      return replaceHidden(
        topics,
        ({ name }) => judge.sees(topicRights.read, name),
        ({ name, partitions }) =>
          denial(
            name,
            partitions.map(({ partitionIndex }) => partitionIndex),
          ),
      )
    },
  }
}

function denial(name: string, partitionIndexes: readonly number[]): TopicResponse {
  const problem = nameProblem(name)
  const errorCode = problem === undefined ? ErrorCode.TOPIC_AUTHORIZATION_FAILED : ErrorCode.INVALID_TOPIC_EXCEPTION
  return {
    name,
    partitions: partitionIndexes.map(partitionIndex => ({
      ...partitionResponseDefaults(),
      partitionIndex,
      errorCode,
      errorMessage: problem ?? errorMessage(errorCode),
    })),
  }
}
