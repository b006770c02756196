/**
 * How long a broker may take, by the request's own word. Requests without such a field (and group joins, whose wait is
 * the group's to decide) have no deadline: a slow answer is not a wrong one.
 */
import { ApiKey } from '../protocol/api-key.ts'
import type { Exchange } from './exchange.ts'

/** On top of the request's field, for the way there and back and for a broker under load. */
const marginMs = 60_000

interface Timed {
  readonly timeoutMs?: number
  readonly timeoutMillis?: number
  readonly maxWaitMs?: number
}

const timedKeys: readonly number[] = [
  ApiKey.Produce,
  ApiKey.Fetch,
  ApiKey.ShareFetch,
  ApiKey.CreateTopics,
  ApiKey.DeleteTopics,
  ApiKey.DeleteRecords,
  ApiKey.CreatePartitions,
  ApiKey.ElectLeaders,
  ApiKey.AlterPartitionReassignments,
  ApiKey.ListPartitionReassignments,
  ApiKey.UpdateFeatures,
]
/** By API key: looked at for every request. */
const isTimed: readonly boolean[] = Array.from({ length: Math.max(...timedKeys) + 1 }, (_, key) =>
  timedKeys.includes(key),
)

/** Milliseconds until the answer is overdue; Infinity where the request names no time. */
export function answerTimeoutMs({ api, request }: Exchange): number {
  if (isTimed[api.key] !== true) return Number.POSITIVE_INFINITY
  const { timeoutMs, timeoutMillis, maxWaitMs } = request as Timed
  const own = timeoutMs ?? timeoutMillis ?? maxWaitMs
  return own === undefined || own < 0 ? Number.POSITIVE_INFINITY : own + marginMs
}
