/** A group's topics in an answer to OffsetFetch, in the form of one group and in that of many. */
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type OffsetFetchResponsePartition,
  offsetFetchResponsePartitionDefaults,
} from '../protocol/generated/offset-fetch-response.ts'
import type { Judge } from './judge.ts'
import { topic as topicRights } from './rights.ts'

export interface AskedTopic {
  readonly name: string
  readonly topicId?: string
  readonly partitionIndexes: readonly number[]
}

interface AnsweredTopic {
  readonly name: string
  readonly topicId?: string
  partitions: OffsetFetchResponsePartition[]
}

/** Keeps the id where there is one: whoever asks by id is answered by it. */
export function deniedOffsets<Topic extends AskedTopic>(
  { partitionIndexes, ...topic }: Topic,
  errorCode: number,
): Omit<Topic, 'partitionIndexes'> & { partitions: OffsetFetchResponsePartition[] } {
  return { ...topic, partitions: partitionIndexes.map(partitionIndex => denied(partitionIndex, errorCode)) }
}

function denied(partitionIndex: number, errorCode: number): OffsetFetchResponsePartition {
  return { ...offsetFetchResponsePartitionDefaults(), partitionIndex, committedOffset: -1n, errorCode }
}

export interface HideOptions {
  /** All of the group's topics were asked for: what may not be seen is left out. */
  readonly isAll: boolean
  readonly nameOf: (topic: AskedTopic) => string | undefined
}

/** Hides what the client may not describe, or what nobody can name. */
export function hideOffsets<Topic extends AnsweredTopic>(
  body: { topics: Topic[] },
  judge: Judge,
  { isAll, nameOf }: HideOptions,
): boolean {
  const isSeen = (topic: Topic): boolean => {
    const name = nameOf({ ...topic, partitionIndexes: [] })
    return name !== undefined && judge.sees(topicRights.describe, name)
  }
  const hidden = new Set(body.topics.filter(topic => !isSeen(topic)))
  if (hidden.size === 0) return false
  if (isAll) body.topics = body.topics.filter(topic => !hidden.has(topic))
  else for (const topic of hidden) topic.partitions = topic.partitions.map(hide)
  return true
}

function hide({ partitionIndex }: OffsetFetchResponsePartition): OffsetFetchResponsePartition {
  return denied(partitionIndex, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
}
