import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { clientCases } from '../support/client-cases.ts'
import { isDirect, type Lab, openLab } from '../support/client-lab.ts'
import { clientMissing, type Job } from '../support/clients.ts'
import { skipReason } from '../support/kafka.ts'

describe('through the gateway, over TLS', { skip: skipReason() || clientMissing('java'), timeout: 900_000 }, () => {
  let lab: Lab
  let jobs: Job[]

  before(async () => {
    lab = await openLab()
    jobs = clientCases.map(clientCase => lab.jobFor(clientCase))
    await lab.prepare(jobs)
  })
  after(() => lab?.close())

  for (const [index, clientCase] of clientCases.entries()) {
    it(`${clientCase.title}: 10,000 records arrive once, in order and to the byte`, {
      skip: clientMissing(clientCase.client),
    }, async () => {
      const { report, complaints } = await lab.run(clientCase, jobs[index]!)
      assert.deepEqual(complaints, [])
      if (clientCase.java?.producer !== 'transactional') return
      assert.deepEqual(report.facts.get('aborted'), [100])
      assert.deepEqual(report.facts.get('committedInTransaction'), [true])
    })
  }

  it("Java's AdminClient sees the cluster as the gateway shows it, and can change it", async () => {
    const asJava = { title: 'admin', client: 'java', idempotent: true } as const
    const job = lab.jobFor(asJava, { records: 600, producer: 'idempotent', consumer: 'classic' })
    const { report, complaints } = await lab.run(asJava, job, { task: 'admin' })
    assert.deepEqual(complaints, [])

    const fact = (name: string): unknown => report.facts.get(name)?.[0]
    const nodes = [...lab.advertised].map(([id, [host, port]]) => [id, host, port])
    assert.deepEqual(fact('nodes'), nodes)
    assert.deepEqual(fact('voters'), [1, 2, 3])
    assert.ok([1, 2, 3].includes(fact('controller') as number))
    assert.deepEqual(fact('logDirs'), [1, 2, 3])
    assert.equal(report.facts.get('brokerConfig')?.length, 3)
    assert.equal(fact('listed'), true)
    assert.deepEqual(fact('describedById'), [job.topic])
    assert.equal(fact('topicConfig'), '86400001')
    assert.equal(fact('offsets'), 600)
    assert.equal(fact('committed'), 600)
    assert.equal(fact('groupListed'), true)
    assert.equal(fact('groupDeleted'), true)
    assert.equal(fact('deleted'), true)
    const partitions = fact('partitions') as { id: number; leader: [number, string, number]; replicas: number[] }[]
    assert.deepEqual(
      partitions.map(({ id, replicas }) => [id, replicas]),
      [0, 1, 2, 3, 4, 5].map(id => [id, [1, 2, 3]]),
    )
    for (const { leader } of partitions) assert.ok(nodes.some(node => `${node}` === `${leader}`))
    const { coordinator } = fact('group') as { coordinator: unknown[][] }
    assert.ok(nodes.some(node => `${node}` === `${coordinator[0]}`))
  })

  it('no byte that any of them was sent names a broker, its port or its listener', { skip: isDirect }, () => {
    assert.deepEqual(lab.tapFailures(), [])
    assert.deepEqual(lab.watch.leaks, [])
    // What nobody asked for would prove nothing.
    const answered = [
      'Metadata',
      'FindCoordinator',
      'Produce',
      'Fetch',
      'ShareFetch',
      'DescribeCluster',
      'DescribeQuorum',
    ]
    const missing = [...answered, 'DescribeConfigs', 'ApiVersions'].filter(api => !lab.watch.seen.has(api))
    assert.deepEqual(missing, [])
    assert.ok(lab.watch.bytes > 10_000_000)
  })
})
