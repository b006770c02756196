/**
 * Other APIs that reach the same thing: who denies one by name and not the others has closed one door of several. Operations close
 * them all.
 */

const alike: readonly (readonly string[])[] = [
  ['Fetch', 'ShareFetch'],
  ['Metadata', 'DescribeTopicPartitions'],
  ['AlterConfigs', 'IncrementalAlterConfigs'],
  ['JoinGroup', 'ConsumerGroupHeartbeat', 'ShareGroupHeartbeat', 'StreamsGroupHeartbeat'],
  ['DescribeGroups', 'ConsumerGroupDescribe', 'ShareGroupDescribe', 'StreamsGroupDescribe'],
  ['OffsetFetch', 'DescribeShareGroupOffsets'],
  ['OffsetCommit', 'TxnOffsetCommit', 'AlterShareGroupOffsets'],
  ['OffsetDelete', 'DeleteShareGroupOffsets', 'DeleteGroups'],
  ['CreateAcls', 'DeleteAcls'],
  ['AddRaftVoter', 'RemoveRaftVoter'],
]

/** One way alone: denying the second leaves nothing of the first open. */
const alsoThrough: readonly (readonly [denied: string, open: readonly string[]])[] = [
  // All of a topic's records can go without the topic.
  ['DeleteTopics', ['DeleteRecords']],
  // Metadata creates topics where the broker may, a streams group its internal ones.
  ['CreateTopics', ['Metadata', 'StreamsGroupHeartbeat']],
  // KIP-890: from Produce 12 and TxnOffsetCommit 5 on, they add to the transaction themselves.
  ['AddPartitionsToTxn', ['Produce']],
  ['AddOffsetsToTxn', ['TxnOffsetCommit']],
  ['ListGroups', ['DescribeGroups', 'ConsumerGroupDescribe', 'ShareGroupDescribe', 'StreamsGroupDescribe']],
  ['ListTransactions', ['DescribeTransactions']],
  // The end of a partition by time, or its last stable offset, is in every Fetch answer too.
  ['ListOffsets', ['Fetch', 'ShareFetch', 'OffsetForLeaderEpoch']],
]

const siblings = new Map<string, ReadonlySet<string>>()
for (const group of alike) for (const api of group) add(api, group)
for (const [denied, open] of alsoThrough) add(denied, open)

function add(api: string, others: readonly string[]): void {
  siblings.set(api, new Set([...(siblings.get(api) ?? []), ...others.filter(other => other !== api)]))
}

export const siblingsOf = (api: string): readonly string[] => [...(siblings.get(api) ?? [])]
