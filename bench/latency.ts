// How much later do answers come? Small Produce requests, 500 a second in an open loop, against the broker's own TLS.
import { pace, withConnections } from './load.ts'
import type { Row } from './row.ts'
import { smallProduce, smallTopic } from './small-produce-cpu.ts'
import { quantile } from './statistics.ts'

const connections = 10
const perSecond = 500

export const latency: Row = {
  id: 'latency',
  process: 'kept',
  includesDirect: true,
  // Slices are short and many, so that a disturbance of the machine does not meet one contestant alone.
  roundsFactor: 3,
  figures: [
    { id: 'p50', title: 'latency at 500 req/s, p50', unit: 'ms', digits: 2, goal: { against: 'direct', max: 0.2 } },
    { id: 'p99', title: 'latency at 500 req/s, p99', unit: 'ms', digits: 2, goal: { against: 'direct', max: 1 } },
  ],
  prepare: async testbed => void (await testbed.ensureTopic(smallTopic)),
  warmUp: async target => void (await latenciesOf(target.endpoint, 2)),
  async measure({ endpoint, testbed }) {
    const latencies = await latenciesOf(endpoint, testbed.scale.latencySeconds)
    return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
  },
}

export function latenciesOf(endpoint: Parameters<typeof withConnections>[0], seconds: number): Promise<number[]> {
  return withConnections(endpoint, connections, opened => pace(opened, smallProduce, { perSecond, seconds }))
}
