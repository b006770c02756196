// What does a GiB produced cost? Kafka's own producer, records of 1 KiB in batches of 64 KiB.
import { cpuSpent } from './cpu.ts'
import { rulesInForce } from './random-rules.ts'
import { perGibibyte, producerLoad } from './records.ts'
import { type Row, type Sample, type Target, warmUp } from './row.ts'

const topic = 'produce'
/** Only the stream through the proxy matters; the disk keeps little of it. */
const topicConfig = { 'retention.bytes': String(256 * 2 ** 20), 'segment.bytes': String(128 * 2 ** 20) }

export const produceCpu: Row = {
  id: 'produce-cpu',
  process: 'kept',
  rules: rulesInForce,
  includesDirect: true,
  figures: [
    {
      id: 'cpu',
      title: 'CPU per GiB produced',
      unit: 's',
      digits: 2,
      goal: { against: 'HAProxy', max: 1.25 },
    },
    { id: 'rate', title: 'produced', unit: 'MiB/s', digits: 0 },
  ],
  prepare: async testbed => void (await testbed.ensureTopic(topic, topicConfig)),
  warmUp: target => warmUp(target, () => produce(target, target.testbed.scale.records)),
  async measure(target): Promise<Sample> {
    const { records } = target.testbed.scale
    if (target.pid === undefined) return { rate: await produce(target, records) }
    const { seconds, result } = await cpuSpent(target.pid, () => produce(target, records))
    return { cpu: perGibibyte(seconds, records), rate: result }
  },
}

/** MiB per second as the producer saw it. */
async function produce({ testbed, endpoint }: Target, records: number): Promise<number> {
  const output = await testbed.tool('ProducerPerformance', endpoint, ['--topic', topic, ...producerLoad(records)])
  const summary = output.trim().split('\n').at(-1) ?? ''
  const [, sent, rate] = /^(\d+) records sent, .*\(([\d.]+) MB\/sec\)/.exec(summary) ?? []
  if (Number(sent) !== records) throw new Error(`${records} records were to be produced:\n${output}`)
  return Number(rate)
}
