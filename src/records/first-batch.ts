/** What the first batch of a produced run says of itself, read where it lies: no byte is copied. */
import type { Span } from '../wire/span.ts'
import { BatchAttribute, BatchLayout, batchMagic } from './record-batch.ts'

/**
 * Whether the batch belongs to a transaction. A run of more than one batch is refused by brokers (Produce from version
 * 3 on), so that the first speaks for all, as in Kafka's RequestUtils.hasTransactionalRecords.
 */
export function isFirstBatchTransactional(records: Span | null): boolean {
  if (records === null || records.byteAt(BatchLayout.magic) !== batchMagic) return false
  // Attributes are two bytes; all that are defined lie in the second.
  const attributes = records.byteAt(BatchLayout.attributes + 1) ?? 0
  return (attributes & BatchAttribute.transactional) !== 0
}
