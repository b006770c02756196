// How much later do answers come, and what does a request cost that finds the proxy asleep?
// Small Produce requests, 500 a second in an open loop; the broker's own TLS is what they are compared with.
import { cpuSpent } from './cpu.ts'
import { pace, withConnections } from './load.ts'
import type { Row } from './row.ts'
import { smallProduce, smallTopic } from './small-produce-cpu.ts'
import { quantile } from './statistics.ts'

const connections = 10
const perSecond = 500

/** What a row needs that measures latencies. */
export const smallTraffic: Pick<Row, 'prepare' | 'warmUp'> = {
  prepare: async testbed => void (await testbed.ensureTopic(smallTopic)),
  warmUp: async target => void (await latenciesOf(target.endpoint, 2)),
}

export const latency: Row = {
  id: 'latency',
  process: 'kept',
  includesDirect: true,
  // Slices are short and many, so that a disturbance of the machine does not meet one contestant alone.
  roundsFactor: 3,
  figures: [
    {
      id: 'p50',
      title: 'latency at 500 req/s, p50',
      unit: 'ms',
      digits: 2,
      clock: true,
      goal: { against: 'direct', max: 0.2 },
    },
    {
      id: 'p99',
      title: 'latency at 500 req/s, p99',
      unit: 'ms',
      digits: 2,
      clock: true,
      goal: { against: 'direct', max: 1 },
    },
    {
      id: 'cpu',
      title: 'CPU per small Produce, at 500 req/s',
      unit: 'µs',
      digits: 1,
      goal: { against: 'HAProxy', max: 1.4 },
    },
  ],
  ...smallTraffic,
  async measure(target) {
    const { endpoint, pid, testbed } = target
    const load = () => latenciesOf(endpoint, testbed.scale.latencySeconds)
    if (pid === undefined) return percentiles(await load())
    const { seconds, result } = await cpuSpent(pid, load)
    return { ...percentiles(result), cpu: (seconds * 1e6) / result.length }
  },
}

function percentiles(latencies: readonly number[]) {
  return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
}

export function latenciesOf(endpoint: Parameters<typeof withConnections>[0], seconds: number): Promise<number[]> {
  return withConnections(endpoint, connections, opened => pace(opened, smallProduce, { perSecond, seconds }))
}
