/**
 * ListOffsets 1–11. Leaves out: the record in the batch. A look-up by time answers the beginning of the first batch that
 * has a record of that time or later, and tiered storage, of which there is none, has no offsets.
 */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { ListOffsetsPartition } from '../../protocol/generated/list-offsets-request.ts'
import {
  type ListOffsetsPartitionResponse,
  listOffsetsPartitionResponseDefaults,
  listOffsetsResponseDefaults,
} from '../../protocol/generated/list-offsets-response.ts'
import { type Call, handler } from '../handler.ts'
import { ledPartition } from '../led-partition.ts'
import type { OffsetAndTimestamp, PartitionLog } from '../partition-log.ts'
import type { Topic } from '../topics.ts'

type ListOffsetsCall = Call<typeof ApiKey.ListOffsets>

const Special = { latest: -1n, earliest: -2n, maxTimestamp: -3n, earliestLocal: -4n } as const
const epochsFrom = 4

export const listOffsets = handler(ApiKey.ListOffsets, [1, 11], call => {
  const topics = call.body.topics.map(({ name, partitions }) => {
    const topic = call.cluster.topics.byName(name)
    return { name, partitions: partitions.map(each => answer(call, topic, each)) }
  })
  return { ...listOffsetsResponseDefaults(), topics }
})

function answer(
  call: ListOffsetsCall,
  topic: Topic | undefined,
  { partitionIndex, currentLeaderEpoch, timestamp }: ListOffsetsPartition,
): ListOffsetsPartitionResponse {
  const led = ledPartition(call, { topic, index: partitionIndex, leaderEpoch: currentLeaderEpoch })
  const nothing = { ...listOffsetsPartitionResponseDefaults(), partitionIndex }
  if (led.kind === 'refused') return { ...nothing, errorCode: led.errorCode }
  const found = find(led.partition.log, timestamp)
  if (found === undefined) return { ...nothing, errorCode: ErrorCode.NONE }
  const leaderEpoch = call.version >= epochsFrom ? led.partition.leaderEpoch : -1
  return { ...nothing, ...found, leaderEpoch }
}

function find(log: PartitionLog, timestamp: bigint): OffsetAndTimestamp | undefined {
  if (timestamp === Special.latest) return { offset: log.endOffset, timestamp: -1n }
  if (timestamp === Special.earliest || timestamp === Special.earliestLocal) {
    return { offset: log.startOffset, timestamp: -1n }
  }
  if (timestamp === Special.maxTimestamp) return log.findMaxTimestamp()
  return timestamp < 0n ? undefined : log.findTimestamp(timestamp)
}
