import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Kafka, skipReason, startKafka } from '../support/kafka.ts'
import { runTool } from '../support/kafka-tools.ts'

const host = 'kafka-node.upstream.test'

describe('three real brokers', { skip: skipReason(), timeout: 180_000 }, () => {
  let kafka: Kafka
  let connection: string[]

  before(async () => {
    kafka = await startKafka({ brokers: 3, host })
    connection = ['--bootstrap-server', kafka.bootstrap.join(',')]
  })
  after(() => kafka?.stop())

  const tool: typeof runTool = (name, args) => runTool(name, args, { jvm: [kafka.hostsFlag] })

  async function produce(first: number, count: number): Promise<void> {
    const { stdout } = await tool('VerifiableProducer', [
      ...connection,
      ...['--topic', 'orders', '--max-messages', String(count), '--acks', '-1', '--value-prefix', String(first)],
    ])
    const done = stdout.split('\n').filter(line => line.includes('"producer_send_success"'))
    assert.equal(done.length, count)
  }

  async function consume(group: string, count: number): Promise<number[]> {
    const { stdout } = await tool('VerifiableConsumer', [
      ...connection,
      ...['--topic', 'orders', '--group-id', group, '--max-messages', String(count)],
      ...['--reset-policy', 'earliest', '--verbose'],
    ])
    const values = [...stdout.matchAll(/"name":"record_data".*?"value":"\d+\.(\d+)"/g)].map(match => Number(match[1]))
    return values.sort((a, b) => a - b)
  }

  it('keep a replicated topic through the death and the return of one of them', async () => {
    await tool('TopicCommand', [
      ...connection,
      ...['--create', '--topic', 'orders', '--partitions', '6', '--replication-factor', '3'],
    ])
    await produce(1, 300)

    const [victim] = kafka.brokers
    const { pid } = victim!
    await victim!.kill('SIGKILL')
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
    await produce(2, 300)
    const twice = Array.from({ length: 600 }, (_, index) => Math.floor(index / 2))
    assert.deepEqual(await consume('while-one-is-down', 600), twice)

    const { port } = victim!
    await victim!.restart()
    assert.equal(victim!.port, port)
    await kafka.inSync()
    const { partitions } = await victim!.cluster()
    const orders = partitions.filter(({ topic }) => topic === 'orders')
    assert.deepEqual(
      orders.map(({ inSync }) => inSync.length),
      [3, 3, 3, 3, 3, 3],
    )
    assert.deepEqual(await consume('after-its-return', 600), twice)
  })

  it('advertise the private host name and nothing else', async () => {
    for (const each of kafka.brokers) {
      const { brokers } = await each.cluster()
      assert.deepEqual(
        brokers,
        kafka.brokers.map(broker => ({ id: broker.id, host, port: broker.port })),
      )
    }
  })
})

describe('one real broker of the 3.9 line', { skip: skipReason('3.9.1'), timeout: 120_000 }, () => {
  let kafka: Kafka
  before(async () => {
    kafka = await startKafka({ version: '3.9.1' })
  })
  after(() => kafka?.stop())

  it('creates and lists a topic', async () => {
    const connection = ['--bootstrap-server', kafka.bootstrap.join(',')]
    await runTool('TopicCommand', [...connection, '--create', '--topic', 'orders'])
    const { stdout } = await runTool('TopicCommand', [...connection, '--list'])
    assert.deepEqual(stdout.trim().split('\n'), ['orders'])
  })
})
