// What does a small request cost under load? 100 bytes, linger 0, acks=1, one in flight on each of a few connections.
// Few keep the proxy busy without letting it answer many in one go; latency.ts asks the same where it is mostly asleep.
import { cpuSpent } from './cpu.ts'
import { produceRequest } from './frames.ts'
import { drive, withConnections } from './load.ts'
import { rulesInForce } from './random-rules.ts'
import { type Row, requireProxy, type Target, warmUp } from './row.ts'

export const smallTopic = 'small'
export const smallProduce = produceRequest(smallTopic, 100)
const connections = 4

export const smallProduceCpu: Row = {
  id: 'small-produce-cpu',
  process: 'kept',
  rules: rulesInForce,
  includesDirect: false,
  figures: [
    {
      id: 'cpu',
      title: 'CPU per small Produce, under load',
      unit: 'µs',
      digits: 1,
      goal: { against: 'HAProxy', max: 1.4 },
    },
  ],
  prepare: async testbed => void (await testbed.ensureTopic(smallTopic)),
  warmUp: target => warmUp(target, () => produceMany(target, target.testbed.scale.smallRequests)),
  async measure(target) {
    const { pid, testbed } = requireProxy(target)
    const { seconds } = await cpuSpent(pid, () => produceMany(target, testbed.scale.smallRequests))
    return { cpu: (seconds * 1e6) / testbed.scale.smallRequests }
  },
}

function produceMany({ endpoint }: Target, requests: number): Promise<void> {
  return withConnections(endpoint, connections, opened => drive(opened, smallProduce, requests))
}
