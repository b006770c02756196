import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { run } from '../support/child-process.ts'

const skip = spawnSync('kcat', ['-V']).status === 0 ? false : 'no kcat on the path'

describe('kcat (librdkafka) against the embedded cluster', { skip, timeout: 60_000 }, () => {
  let cluster: EmbeddedCluster
  before(async () => {
    cluster = await startEmbeddedCluster()
  })
  after(() => cluster?.stop())

  async function kcat(args: string[], input = ''): Promise<string> {
    const { stdout } = await run('kcat', ['-b', cluster.bootstrap.join(','), ...args], { input, timeoutMs: 30_000 })
    return stdout
  }

  const lines = Array.from({ length: 500 }, (_, at) => `key ${at % 7}:value ${at}`)

  for (const idempotent of [false, true]) {
    it(`produces ${idempotent ? 'idempotently' : 'plainly'} and reads back every record in order`, async () => {
      const topic = `kcat-${idempotent}`
      cluster.createTopic(topic, { partitions: 4 })
      const settings = ['-X', `enable.idempotence=${idempotent}`, '-X', 'batch.num.messages=20']
      await kcat(['-P', '-t', topic, '-K:', ...settings], lines.join('\n'))
      const read = (await kcat(['-C', '-t', topic, '-e', '-q', '-K:'])).trim().split('\n')
      const ofKey = (all: string[], key: number) => all.filter(line => line.startsWith(`key ${key}:`))
      for (let key = 0; key < 7; key++) assert.deepEqual(ofKey(read, key), ofKey(lines, key))
      assert.equal(read.length, lines.length)
    })
  }

  it('reads batches of every codec as they were sent', async () => {
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
      const topic = `kcat-${codec}`
      cluster.createTopic(topic, { partitions: 1 })
      await kcat(['-P', '-t', topic, '-z', codec], lines.join('\n'))
      assert.deepEqual((await kcat(['-C', '-t', topic, '-e', '-q'])).trim().split('\n'), lines)
    }
  })

  it('reads in a group that goes on where it left off', async () => {
    cluster.createTopic('kcat-group', { partitions: 3 })
    await kcat(['-P', '-t', 'kcat-group', '-K:'], lines.join('\n'))
    const settings = ['-X', 'auto.offset.reset=earliest', '-X', 'fetch.wait.max.ms=100']
    const join = ['-G', 'g', '-q', '-K:', ...settings, '-c']
    const first = (await kcat([...join, '200', 'kcat-group'])).trim().split('\n')
    const second = (await kcat([...join, '300', 'kcat-group'])).trim().split('\n')
    assert.deepEqual([...first, ...second].sort(), [...lines].sort())
  })

  it('lists brokers, leaders and offsets', async () => {
    cluster.createTopic('kcat-list', { partitions: 3, replicationFactor: 2 })
    await kcat(['-P', '-t', 'kcat-list', '-p', '1'], 'a\nb\nc')
    const { brokers, topics } = JSON.parse(await kcat(['-L', '-J', '-t', 'kcat-list']))
    assert.deepEqual(
      brokers.map(({ id, name }: { id: number; name: string }) => `${id} ${name}`).sort(),
      cluster.nodes.map(({ id, host, port }) => `${id} ${host}:${port}`),
    )
    assert.deepEqual(topics[0].partitions.map(({ leader }: { leader: number }) => leader).sort(), [1, 2, 3])
    assert.match(
      await kcat(['-Q', '-t', 'kcat-list:1:-1', '-t', 'kcat-list:2:-1']),
      /\[1\] offset 3[\s\S]*\[2\] offset 0/,
    )
  })
})
