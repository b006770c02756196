import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { readBatch } from '../../src/records/record-batch.ts'
import { hasMaven, javaMissing } from '../support/java.ts'
import { runTool } from '../support/kafka-tools.ts'

const skip = javaMissing() ?? (hasMaven() ? false : 'no mvn on the path to bring the tools of Apache Kafka')

describe("Java's clients against the embedded cluster", { skip, timeout: 120_000 }, () => {
  let cluster: EmbeddedCluster
  let folder: string
  before(async () => {
    cluster = await startEmbeddedCluster()
    folder = mkdtempSync(join(tmpdir(), 'vkitm-java-'))
    // The tool itself turns both off.
    writeFileSync(join(folder, 'producer.properties'), 'retries=1000\nenable.idempotence=true\n')
  })
  after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await cluster?.stop()
  })

  const tool: typeof runTool = (name, args) => {
    return runTool(name, ['--bootstrap-server', cluster.bootstrap.join(','), ...args], { timeoutMs: 60_000 })
  }

  function produce(topic: string, count: number) {
    const config = ['--command-config', join(folder, 'producer.properties')]
    return tool('VerifiableProducer', ['--topic', topic, '--max-messages', String(count), '--acks', '-1', ...config])
  }

  async function consume(topic: string, count: number): Promise<string> {
    const group = ['--group-id', `group-of-${topic}`, '--reset-policy', 'earliest', '--verbose']
    const { stdout } = await tool('VerifiableConsumer', ['--topic', topic, '--max-messages', String(count), ...group])
    return stdout
  }

  it('create, describe and delete topics', async () => {
    await tool('TopicCommand', ['--create', '--topic', 'java', '--partitions', '3', '--replication-factor', '2'])
    const { stdout } = await tool('TopicCommand', ['--describe', '--topic', 'java'])
    assert.match(stdout, /PartitionCount: 3\s+ReplicationFactor: 2/)
    assert.deepEqual([...stdout.matchAll(/Leader: (\d)/g)].map(match => match[1]).sort(), ['1', '2', '3'])
    await tool('TopicCommand', ['--delete', '--topic', 'java'])
    assert.equal((await tool('TopicCommand', ['--list'])).stdout.trim(), '')
  })

  it('produce idempotently by topic id, and read all of it in a group', async () => {
    cluster.createTopic('numbers', { partitions: 3 })
    const { stdout } = await produce('numbers', 1_000)
    assert.equal(stdout.split('\n').filter(line => line.includes('"producer_send_success"')).length, 1_000)
    const [request] = cluster.seen.of(ApiKey.Produce)
    assert.equal(request!.header.apiVersion, 13)
    const batch = readBatch(request!.body!.topicData[0]!.partitionData[0]!.records!.toBuffer())
    assert.ok(batch.producerId >= 0n)
    const read = await consume('numbers', 1_000)
    const values = [...read.matchAll(/"name":"record_data".*?"value":"(\d+)"/g)].map(match => Number(match[1]))
    assert.deepEqual(
      values.sort((a, b) => a - b),
      Array.from({ length: 1_000 }, (_, at) => at),
    )
    assert.equal(cluster.seen.of(ApiKey.JoinGroup).at(-1)!.header.apiVersion, 9)
  })

  it('follow a leader that moved by the hint in the answer', async () => {
    cluster.createTopic('moving', { partitions: 1, replicationFactor: 3 })
    const producing = produce('moving', 20_000)
    const { log } = cluster.topic('moving').partitions[0]!
    while (log.endOffset === 0n) await new Promise(resolve => setTimeout(resolve, 1))
    const { leaderId } = cluster.topic('moving').partitions[0]!
    cluster.moveLeader('moving', 0, (leaderId % 3) + 1)
    const { stdout } = await producing
    assert.equal(stdout.split('\n').filter(line => line.includes('"producer_send_success"')).length, 20_000)
    assert.equal(log.endOffset, 20_000n)
    assert.ok(cluster.seen.of(ApiKey.Produce).some(({ connection }) => connection.nodeId !== leaderId))
  })
})
