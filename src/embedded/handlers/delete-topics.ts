/** DeleteTopics 1–6, by name and by id, at once. Leaves out: nothing clients use. */
import { ApiKey } from '../../protocol/api-key.ts'
import { zeroUuid } from '../../protocol/empty.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import {
  type DeletableTopicResult,
  deleteTopicsResponseDefaults,
} from '../../protocol/generated/delete-topics-response.ts'
import { type Call, handler } from '../handler.ts'
import type { Topic } from '../topics.ts'

type DeleteTopicsCall = Call<typeof ApiKey.DeleteTopics>

/** From here on topics are structs with a name or an id. */
const structsFrom = 6

export const deleteTopics = handler(ApiKey.DeleteTopics, [1, 6], call => {
  const { version, body } = call
  const asked = version >= structsFrom ? body.topics : body.topicNames.map(name => ({ name, topicId: zeroUuid }))
  return { ...deleteTopicsResponseDefaults(), responses: asked.map(({ name, topicId }) => remove(call, name, topicId)) }
})

function remove({ cluster, refusal }: DeleteTopicsCall, name: string | null, topicId: string): DeletableTopicResult {
  const topic = name === null ? cluster.topics.byId(topicId) : cluster.topics.byName(name)
  if (refusal !== undefined) return { name, topicId, errorCode: refusal, errorMessage: null }
  if (topic === undefined) {
    const errorCode = name === null ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    return { name, topicId, errorCode, errorMessage: 'This server does not host this topic-partition.' }
  }
  return removed(cluster, topic)
}

function removed({ topics, groups }: DeleteTopicsCall['cluster'], topic: Topic): DeletableTopicResult {
  topics.delete(topic)
  groups.topicDeleted(topic.name)
  return { name: topic.name, topicId: topic.id, errorCode: ErrorCode.NONE, errorMessage: null }
}
