// What does a GiB consumed cost? Kafka's own consumer reads a topic that was filled before, from its beginning to its end.
import { cpuSpent } from './cpu.ts'
import { rulesInForce } from './random-rules.ts'
import { perGibibyte, producerLoad } from './records.ts'
import { type Row, type Sample, type Target, warmUp } from './row.ts'
import type { Testbed } from './testbed.ts'

export const consumeTopic = 'consume'

export const consumeCpu: Row = {
  id: 'consume-cpu',
  process: 'kept',
  rules: rulesInForce,
  includesDirect: true,
  figures: [
    {
      id: 'cpu',
      title: 'CPU per GiB consumed',
      unit: 's',
      digits: 2,
      goal: { against: 'HAProxy', max: 1.25 },
    },
    { id: 'rate', title: 'consumed', unit: 'MiB/s', digits: 0 },
  ],
  prepare: fillConsumeTopic,
  warmUp: target => warmUp(target, () => consume(target)),
  async measure(target): Promise<Sample> {
    if (target.pid === undefined) return { rate: await consume(target) }
    const { seconds, result } = await cpuSpent(target.pid, () => consume(target))
    return { cpu: perGibibyte(seconds, target.testbed.scale.records), rate: result }
  },
}

export async function fillConsumeTopic(testbed: Testbed): Promise<void> {
  if (!(await testbed.ensureTopic(consumeTopic))) return
  await testbed.preload(consumeTopic, producerLoad(testbed.scale.records))
}

/** MiB per second of fetching, joining the group left out. */
async function consume({ testbed, endpoint }: Target): Promise<number> {
  const { records } = testbed.scale
  const group = `bench-${Math.random().toString(36).slice(2)}`
  const args = ['--topic', consumeTopic, '--num-records', String(records), '--group', group, '--hide-header']
  const output = await testbed.tool('ConsumerPerformance', endpoint, [...args, '--timeout', '60000'])
  // start, end, MB, MB/s, records, records/s, rebalance ms, fetch ms, fetch MB/s, fetch records/s
  const fields = (output.trim().split('\n').at(-1) ?? '').split(', ')
  if (Number(fields[4]) !== records) throw new Error(`${records} records were to be consumed:\n${output}`)
  return Number(fields[8])
}
