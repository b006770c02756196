/**
 * The settings of a topic that clients may choose. Everything here changes how much of the topic's own data is kept, for
 * how long and in which form. What is missing reaches further: `unclean.leader.election.enable` gives acknowledged records
 * up, the `replication.throttled.replicas` lists stop the replication of brokers, `flush.*`, `preallocate` and
 * `file.delete.delay.ms` are paid by every topic on the same disks, and `remote.*` copies records to another store.
 */
export const harmlessTopicConfigs: ReadonlySet<string> = new Set([
  'cleanup.policy',
  'compression.gzip.level',
  'compression.lz4.level',
  'compression.type',
  'compression.zstd.level',
  'delete.retention.ms',
  'local.retention.bytes',
  'local.retention.ms',
  'max.compaction.lag.ms',
  'max.message.bytes',
  'message.timestamp.after.max.ms',
  'message.timestamp.before.max.ms',
  'message.timestamp.type',
  'min.cleanable.dirty.ratio',
  'min.compaction.lag.ms',
  'min.insync.replicas',
  'retention.bytes',
  'retention.ms',
  'segment.bytes',
  'segment.index.bytes',
  'segment.jitter.ms',
  'segment.ms',
])

/** What Kafka's own CreateTopicPolicy and AlterConfigPolicy answer with; undefined where every setting is open. */
export function closedConfigs(
  configs: readonly { readonly name: string }[],
  open: ReadonlySet<string> = harmlessTopicConfigs,
): string | undefined {
  const closed = configs.map(({ name }) => name).filter(name => !open.has(name))
  return closed.length === 0 ? undefined : `The gateway does not let clients choose ${closed.join(', ')}.`
}
