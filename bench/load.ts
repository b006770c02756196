// Shapes of load over raw TLS connections.
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Endpoint, KafkaConnection } from './connection.ts'
import type { PreparedRequest } from './frames.ts'

/** Runs `work` for 0 … count−1, at most `limit` at a time. */
export async function inParallel<T>(count: number, limit: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const worker = async () => {
    while (next < count) {
      const index = next++
      results[index] = await work(index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, count) }, worker))
  return results
}

/** Opens connections a few at a time: a listen backlog is no part of any question here. */
export function openMany(endpoint: Endpoint, count: number): Promise<KafkaConnection[]> {
  return inParallel(count, 16, () => KafkaConnection.open(endpoint))
}

export async function closeMany(connections: readonly KafkaConnection[]): Promise<void> {
  await inParallel(connections.length, 64, index => connections[index]!.close())
}

/** Opens, works, closes, however the work ends. */
export async function withConnections<T>(
  endpoint: Endpoint,
  count: number,
  work: (connections: readonly KafkaConnection[]) => Promise<T>,
): Promise<T> {
  const connections = await openMany(endpoint, count)
  try {
    return await work(connections)
  } finally {
    await closeMany(connections)
  }
}

/** Closed loop: one request in flight on each connection until `requests` are answered. */
export async function drive(
  connections: readonly KafkaConnection[],
  request: PreparedRequest,
  requests: number,
): Promise<void> {
  let left = requests
  await Promise.all(
    connections.map(async connection => {
      while (left-- > 0) await connection.request(request)
    }),
  )
}

/** Open loop: `perSecond` requests a second whether or not answers have come; milliseconds from write to answer. */
export async function pace(
  connections: readonly KafkaConnection[],
  request: PreparedRequest,
  load: { readonly perSecond: number; readonly seconds: number },
): Promise<number[]> {
  const latencies: number[] = []
  const sent: Promise<unknown>[] = []
  const failures: unknown[] = []
  const started = performance.now()
  for (let index = 0; index < load.perSecond * load.seconds && failures.length === 0; index++) {
    const wait = started + (index * 1_000) / load.perSecond - performance.now()
    if (wait > 0) await sleep(wait)
    const sentAt = performance.now()
    const answer = connections[index % connections.length]!.request(request)
    sent.push(
      answer.then(
        () => latencies.push(performance.now() - sentAt),
        error => failures.push(error),
      ),
    )
  }
  await Promise.all(sent)
  if (failures.length > 0) throw new AggregateError(failures, 'the paced load broke off', { cause: failures[0] })
  return latencies
}
