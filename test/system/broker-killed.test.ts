import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type ClientCase, clientCases } from '../support/client-cases.ts'
import { isDirect, type Lab, openLab } from '../support/client-lab.ts'
import { clientMissing, type Job } from '../support/clients.ts'
import { type Broker, skipReason } from '../support/kafka.ts'

const perSecond = 3_000
const killAfter = 3_000

/** Leaders come home after each death, so that the next one to die leads something, too. */
const quickElections = {
  'leader.imbalance.check.interval.seconds': '1',
  'leader.imbalance.per.broker.percentage': '0',
}

describe('with a broker killed while records are produced', {
  skip: skipReason() || clientMissing('java'),
  timeout: 1_200_000,
}, () => {
  let lab: Lab
  let jobs: Job[]

  before(async () => {
    lab = await openLab(quickElections)
    jobs = clientCases.map(clientCase => lab.jobFor(clientCase, { perSecond }))
    await lab.prepare(jobs)
  })
  after(() => lab?.close())

  for (const [index, clientCase] of clientCases.entries()) {
    it(`${clientCase.title}: ${promise(clientCase)}`, { skip: clientMissing(clientCase.client) }, async () => {
      const job = jobs[index]!
      const victim = await leaderOf(job.topic)
      let stored = 0
      let death: Promise<void> | undefined
      const onStored = () => {
        if (++stored === killAfter) death = victim.kill('SIGKILL')
      }
      try {
        const { complaints } = await lab.run(clientCase, job, { onStored })
        assert.deepEqual(complaints, [])
        assert.ok(stored > killAfter, 'nothing was stored after the broker died')
      } finally {
        await death
        if (!victim.alive) await victim.restart()
        await lab.kafka.inSync()
      }
    })
  }

  it('no byte that any of them was sent names a broker, its port or its listener', { skip: isDirect }, () => {
    assert.deepEqual(lab.tapFailures(), [])
    assert.deepEqual(lab.watch.leaks, [])
    assert.ok(lab.watch.bytes > 10_000_000)
  })

  async function leaderOf(topic: string): Promise<Broker> {
    const { partitions } = await lab.kafka.brokers[0]!.cluster()
    const leader = partitions.find(partition => partition.topic === topic)?.leader
    const broker = lab.kafka.brokers.find(({ id }) => id === leader)
    if (broker === undefined) throw new Error(`${topic} has leader ${leader}`)
    return broker
  }
})

function promise({ expected }: ClientCase): string {
  const doubles = expected?.doublesAfterRetry === true
  return doubles ? 'nothing is lost, and doubles only where its log shows a retry' : 'records arrive once and in order'
}
