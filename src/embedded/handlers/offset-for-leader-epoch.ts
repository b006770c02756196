/** OffsetForLeaderEpoch 2–4. Leaves out: nothing clients use. */
import { ApiKey } from '../../protocol/api-key.ts'
import type { OffsetForLeaderPartition } from '../../protocol/generated/offset-for-leader-epoch-request.ts'
import {
  type OffsetForLeaderEpochResponseEpochEndOffset,
  offsetForLeaderEpochResponseDefaults,
} from '../../protocol/generated/offset-for-leader-epoch-response.ts'
import { type Call, handler } from '../handler.ts'
import { ledPartition } from '../led-partition.ts'
import type { Topic } from '../topics.ts'

type OffsetForLeaderEpochCall = Call<typeof ApiKey.OffsetForLeaderEpoch>

export const offsetForLeaderEpoch = handler(ApiKey.OffsetForLeaderEpoch, [2, 4], call => {
  const topics = call.body.topics.map(({ topic: name, partitions }) => {
    const topic = call.cluster.topics.byName(name)
    return { topic: name, partitions: partitions.map(each => answer(call, topic, each)) }
  })
  return { ...offsetForLeaderEpochResponseDefaults(), topics }
})

function answer(
  call: OffsetForLeaderEpochCall,
  topic: Topic | undefined,
  { partition: index, currentLeaderEpoch, leaderEpoch }: OffsetForLeaderPartition,
): OffsetForLeaderEpochResponseEpochEndOffset {
  const led = ledPartition(call, { topic, index, leaderEpoch: currentLeaderEpoch })
  const nothing = { errorCode: 0, partition: index, leaderEpoch: -1, endOffset: -1n }
  if (led.kind === 'refused') return { ...nothing, errorCode: led.errorCode }
  const end = leaderEpoch > led.partition.leaderEpoch ? undefined : led.partition.endOf(leaderEpoch)
  return end === undefined ? nothing : { ...nothing, leaderEpoch: end.epoch, endOffset: end.endOffset }
}
