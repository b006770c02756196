// What does a flood of handshakes from one address do to those who are connected already? Threat A-19: the rate of
// accepting is limited before the handshake, so its price is never paid.
import { fileURLToPath } from 'node:url'
import { run } from '../test/support/child-process.ts'
import { latenciesOf, smallTraffic } from './latency.ts'
import type { Row, Target } from './row.ts'
import { quantile } from './statistics.ts'

const program = fileURLToPath(new URL('flood.js', import.meta.url))
const acceptPerSecondPerIp = 50

export const handshakeFlood: Row = {
  id: 'handshake-flood',
  process: 'fresh',
  includesDirect: false,
  limits: { acceptPerSecondPerIp },
  figures: [
    {
      id: 'slowdown',
      title: `p99 under a flood of handshakes (acceptPerSecondPerIp ${acceptPerSecondPerIp}), to p99 without it`,
      unit: '×',
      digits: 2,
      clock: true,
      goal: { against: 'nothing', max: 2 },
    },
    { id: 'rate', title: 'handshakes that the flood got', unit: '/s', digits: 0 },
  ],
  ...smallTraffic,
  async measure(target) {
    const { endpoint, testbed } = target
    const seconds = testbed.scale.latencySeconds
    const alone = quantile(await latenciesOf(endpoint, seconds), 0.99)
    const flooded = flood(target, seconds + 1)
    const [latencies, handshakes] = await Promise.all([latenciesOf(endpoint, seconds), flooded])
    return { slowdown: quantile(latencies, 0.99) / alone, rate: handshakes / (seconds + 1) }
  },
}

async function flood({ endpoint }: Target, seconds: number): Promise<number> {
  const { stdout } = await run(process.execPath, [program, String(endpoint.port), String(seconds)])
  return Number(stdout)
}
