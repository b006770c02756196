/**
 * Produce 3–13, topics by name or id, acks 0, 1 and −1, idempotent producers.
 * Leaves out: transactions (their batches are refused), record-level validation, log-append time.
 */

import { WireError } from '../../errors.ts'
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode, errorName } from '../../protocol/error-code.ts'
import type { PartitionProduceData, TopicProduceData } from '../../protocol/generated/produce-request.ts'
import {
  type PartitionProduceResponse,
  partitionProduceResponseDefaults,
  produceResponseDefaults,
  type TopicProduceResponse,
} from '../../protocol/generated/produce-response.ts'
import {
  hasValidChecksum,
  isControl,
  isTransactional,
  type RecordBatch,
  readBatch,
} from '../../records/record-batch.ts'
import { type Call, handler, hangUp, noAnswer } from '../handler.ts'
import { hintedBrokers, leaderHint, ledPartition, noHint } from '../led-partition.ts'
import type { Partition } from '../partition.ts'

type ProduceCall = Call<typeof ApiKey.Produce>

/** From here on answers name the new leader (KIP-951). */
const hintsFrom = 10
const idsFrom = 13

export const produce = handler(ApiKey.Produce, [3, 13], call => {
  const responses = call.body.topicData.map(topic => writeTopic(call, topic))
  const partitions = responses.flatMap(({ partitionResponses }) => partitionResponses)
  if (call.body.acks === 0) return partitions.some(({ errorCode }) => errorCode !== 0) ? hangUp : noAnswer
  const hints = partitions.map(({ currentLeader }) => currentLeader)
  return { ...produceResponseDefaults(), responses, nodeEndpoints: hintedBrokers(call, hints) }
})

function writeTopic(call: ProduceCall, { name, topicId, partitionData }: TopicProduceData): TopicProduceResponse {
  const { topics } = call.cluster
  const byId = call.version >= idsFrom
  const topic = byId ? topics.byId(topicId) : topics.byName(name)
  const missing = byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const partitionResponses = partitionData.map(each => {
    const led = ledPartition(call, { topic, index: each.index, missing })
    if (led.kind === 'led') return writePartition(call, led.partition, each)
    return refused(
      each.index,
      led.errorCode,
      call.version >= hintsFrom ? leaderHint(led.errorCode, led.partition) : noHint,
    )
  })
  return { name, topicId, partitionResponses }
}

function writePartition(call: ProduceCall, partition: Partition, data: PartitionProduceData): PartitionProduceResponse {
  const batch = acceptableBatch(call, data)
  if (typeof batch === 'number') return refused(data.index, batch)
  const verdict = partition.producers.judge(batch)
  if (verdict.kind === 'refuse') return refused(data.index, verdict.errorCode)
  const baseOffset = verdict.kind === 'duplicate' ? verdict.baseOffset : append(partition, batch)
  return {
    ...partitionProduceResponseDefaults(),
    index: data.index,
    baseOffset,
    logStartOffset: partition.log.startOffset,
  }
}

function append(partition: Partition, batch: RecordBatch): bigint {
  const baseOffset = partition.log.append(batch, partition.leaderEpoch)
  partition.producers.appended(batch, baseOffset)
  partition.changed()
  return baseOffset
}

function acceptableBatch({ body, cluster }: ProduceCall, { records }: PartitionProduceData): RecordBatch | ErrorCode {
  if (body.acks < -1 || body.acks > 1) return ErrorCode.INVALID_REQUIRED_ACKS
  if (records === null) return ErrorCode.INVALID_RECORD
  if (records.byteLength > cluster.settings.messageBytesMax) return ErrorCode.MESSAGE_TOO_LARGE
  const bytes = records.toBuffer()
  const batch = batchOrNothing(bytes)
  // Since Produce 3 a partition's records are exactly one batch.
  if (batch === undefined || batch.bytes.length !== bytes.length) return ErrorCode.INVALID_RECORD
  if (batch.recordCount === 0 || batch.recordCount !== batch.lastOffsetDelta + 1) return ErrorCode.INVALID_RECORD
  if (isTransactional(batch)) return ErrorCode.INVALID_TXN_STATE
  if (isControl(batch)) return ErrorCode.INVALID_RECORD
  return hasValidChecksum(batch) ? batch : ErrorCode.CORRUPT_MESSAGE
}

function batchOrNothing(bytes: Buffer): RecordBatch | undefined {
  try {
    return readBatch(bytes)
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

function refused(index: number, errorCode: ErrorCode, currentLeader = noHint): PartitionProduceResponse {
  return {
    ...partitionProduceResponseDefaults(),
    index,
    errorCode,
    baseOffset: -1n,
    errorMessage: errorName(errorCode),
    currentLeader: { ...currentLeader },
  }
}
