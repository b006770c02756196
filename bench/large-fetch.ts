// How much memory does one huge answer take? A Fetch whose response is 100 MiB, read as fast as the client can.

import { consumeTopic, fillConsumeTopic } from './consume-cpu.ts'
import { peakResidentBytes, resetPeak, residentBytes } from './cpu.ts'
import { fetchRequest } from './frames.ts'
import { withConnections } from './load.ts'
import { type Row, requireProxy, type Target } from './row.ts'

/** What surrounds the records must fit the 100 MiB that vkitm takes for a frame by default. */
const largeBytes = 100 * 2 ** 20 - 1024
const smallBytes = 2 ** 20

export const largeFetch: Row = {
  id: 'large-fetch',
  process: 'fresh',
  includesDirect: false,
  figures: [
    {
      id: 'growth',
      title: 'memory growth for a 100 MiB response, per byte of it',
      unit: '×',
      digits: 2,
      goal: { against: 'nothing', max: 2.5 },
    },
  ],
  prepare: fillConsumeTopic,
  warmUp: async target => void (await fetchOnce(target, smallBytes)),
  async measure(target) {
    const { pid } = requireProxy(target)
    resetPeak(pid)
    const before = residentBytes(pid)
    const responseBytes = await fetchOnce(target, largeBytes)
    if (responseBytes < largeBytes) throw new Error(`a response of ${responseBytes} bytes is not what was asked for`)
    return { growth: (peakResidentBytes(pid) - before) / responseBytes }
  },
}

function fetchOnce({ endpoint }: Target, bytes: number): Promise<number> {
  return withConnections(endpoint, 1, ([connection]) => connection!.request(fetchRequest(consumeTopic, bytes)))
}
