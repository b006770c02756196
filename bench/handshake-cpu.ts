// What does a full TLS handshake cost? P-256 certificate, nothing resumed, the connection closed at once.
import { closed, handshake } from './connection.ts'
import { cpuSpent } from './cpu.ts'
import { inParallel } from './load.ts'
import { type Row, requireProxy, type Target } from './row.ts'

const atOnce = 8

export const handshakeCpu: Row = {
  id: 'handshake-cpu',
  process: 'kept',
  includesDirect: false,
  figures: [
    {
      id: 'cpu',
      title: 'CPU per TLS handshake',
      unit: 'ms',
      digits: 2,
      goal: { against: 'nothing', max: 1.6 },
    },
  ],
  warmUp: async target => void (await shakeHands(target, 200)),
  async measure(target) {
    const { pid, testbed } = requireProxy(target)
    const { seconds } = await cpuSpent(pid, () => shakeHands(target, testbed.scale.connections))
    return { cpu: (seconds * 1e3) / testbed.scale.connections }
  },
}

async function shakeHands({ endpoint }: Target, count: number): Promise<void> {
  await inParallel(count, atOnce, async () => closed(await handshake(endpoint)))
}
