// What does a connection that has spoken and then sits there hold? Both legs are open: the broker has answered it too.
import { setTimeout as sleep } from 'node:timers/promises'
import { residentBytes, socketCount } from './cpu.ts'
import { apiVersionsRequest } from './frames.ts'
import { inParallel, withConnections } from './load.ts'
import { type Row, requireProxy, type Target } from './row.ts'
import { smallProduce, smallTopic } from './small-produce-cpu.ts'

const warmUpConnections = 50
const settleMs = 3_000

export const idleMemory: Row = {
  id: 'idle-memory',
  process: 'fresh',
  includesDirect: false,
  figures: [
    {
      id: 'kilobytes',
      title: 'memory per idle TLS connection',
      unit: 'KB',
      digits: 1,
      goal: { against: 'nothing', max: 70 },
    },
  ],
  prepare: async testbed => void (await testbed.ensureTopic(smallTopic)),
  /** What the first connections load once (code, caches, contexts) is not what each one holds. */
  warmUp: async target => void (await holdOpen(target, warmUpConnections)),
  async measure(target) {
    const { connections } = target.testbed.scale
    const { pid } = requireProxy(target)
    await sleep(settleMs)
    const before = residentBytes(pid)
    const during = await holdOpen({ ...target, pid }, connections)
    return { kilobytes: (during - before) / 1_000 / connections }
  },
}

/** Resident bytes of the proxy while `count` connections are open and quiet. */
function holdOpen(target: Target, count: number): Promise<number> {
  const { endpoint, pid } = requireProxy(target)
  return withConnections(endpoint, count, async connections => {
    await inParallel(count, 16, async index => {
      await connections[index]!.request(apiVersionsRequest())
      // A gateway may answer that one by itself; this only a broker can.
      await connections[index]!.request(smallProduce)
    })
    await sleep(settleMs)
    const sockets = socketCount(pid)
    if (sockets < 2 * count) throw new Error(`${count} clients, but only ${sockets} sockets: not both legs are open`)
    return residentBytes(pid)
  })
}
