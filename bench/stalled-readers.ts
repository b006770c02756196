// What do clients that stop reading cost the others? Each asks for far more than any socket buffers, and reads nothing.
import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaConnection } from './connection.ts'
import { consumeTopic, fillConsumeTopic } from './consume-cpu.ts'
import { peakResidentBytes, resetPeak, residentBytes } from './cpu.ts'
import { fetchRequest } from './frames.ts'
import { latenciesOf, smallTraffic } from './latency.ts'
import { withConnections } from './load.ts'
import type { Row } from './row.ts'
import { quantile } from './statistics.ts'

const MiB = 2 ** 20
const bufferedBytes = 128 * MiB
const responseBytes = 16 * MiB
const settleMs = 2_000

export const stalledReaders: Row = {
  id: 'stalled-readers',
  process: 'fresh',
  includesDirect: true,
  limits: { bufferedBytes },
  figures: [
    {
      id: 'growth',
      title: `memory growth under stalled readers (bufferedBytes ${bufferedBytes / MiB} MiB)`,
      unit: 'MiB',
      digits: 1,
      goal: { against: 'nothing', max: bufferedBytes / MiB + 64 },
    },
    {
      id: 'slowdown',
      title: 'p99 of the others under stalled readers, to p99 without them',
      unit: '×',
      digits: 2,
      clock: true,
      goal: { against: 'nothing', max: 2 },
    },
  ],
  ...smallTraffic,
  async prepare(testbed) {
    await fillConsumeTopic(testbed)
    await smallTraffic.prepare?.(testbed)
  },
  async measure(target) {
    const { endpoint, pid, testbed } = target
    const p99 = async () => quantile(await latenciesOf(endpoint, testbed.scale.latencySeconds), 0.99)
    const alone = await p99()
    const before = pid === undefined ? 0 : residentBytes(pid)
    if (pid !== undefined) resetPeak(pid)
    return withConnections(endpoint, testbed.scale.stalledReaders, async readers => {
      const released = stall(readers)
      await sleep(settleMs)
      const slowdown = (await p99()) / alone
      const growth = pid === undefined ? {} : { growth: (peakResidentBytes(pid) - before) / MiB }
      released()
      return { slowdown, ...growth }
    })
  },
}

/** Lets every reader ask and read nothing. The function returned ends that, and throws where one was not stalled all along. */
function stall(readers: readonly KafkaConnection[]): () => void {
  const ended: unknown[] = []
  for (const reader of readers) {
    const answer = reader.request(fetchRequest(consumeTopic, responseBytes))
    answer.then(
      () => ended.push(new Error('a whole answer arrived although nobody read it')),
      error => ended.push(error),
    )
    reader.socket.pause()
  }
  return () => {
    if (ended.length > 0) throw new AggregateError(ended, `${ended.length} of ${readers.length} readers did not last`)
    for (const reader of readers) reader.socket.destroy()
  }
}
