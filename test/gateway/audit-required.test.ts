/** What becomes of requests while decisions cannot be written down. */
import assert from 'node:assert/strict'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import { LineSink } from '../../src/telemetry/line-sink.ts'
import type { RawClient } from '../support/raw-client.ts'
import { replaceDescriptor } from '../support/replace-descriptor.ts'
import { startTestGateway, type TestGateway } from '../support/test-gateway.ts'
import { until, within } from '../support/until.ts'

const endpoint = (text: string) => ({ host: text.split(':')[0]!, port: Number(text.split(':')[1]) })
const named = (...names: string[]) => ({
  ...metadataRequestDefaults(),
  allowAutoTopicCreation: false,
  topics: names.map(name => ({ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' })),
})

async function errorOf(client: RawClient, name: string): Promise<number | undefined> {
  const { topics } = await client.ask(ApiKey.Metadata, 8, named(name))
  return topics[0]?.errorCode
}

describe('F15: an audit file that cannot be written', {
  skip: existsSync('/dev/full') ? false : 'no /dev/full',
}, () => {
  let cluster: EmbeddedCluster
  const folder = mkdtempSync(join(tmpdir(), 'vkitm-audit-'))

  before(async () => {
    cluster = await startEmbeddedCluster({ nodes: 1 })
    cluster.createTopic('orders', { partitions: 1 })
  })

  after(async () => {
    await cluster?.stop()
    rmSync(folder, { recursive: true })
  })

  const start = (audit: LineSink, auditRequired: boolean): Promise<TestGateway> =>
    startTestGateway({
      upstream: { bootstrap: cluster.bootstrap.map(endpoint) },
      policy: ['p, User:ANONYMOUS, topic, orders, describe, allow'],
      audit,
      auditRequired,
    })

  test('costs records, counted, and nothing else where it is not required', async () => {
    const fd = openSync('/dev/full', 'w')
    const gateway = await start(new LineSink({ fd }), false)
    try {
      const client = await gateway.connect()
      assert.equal(await errorOf(client, 'secret'), ErrorCode.TOPIC_AUTHORIZATION_FAILED)
      await until('dropped', async () => (await gateway.metric('vkitm_audit_dropped_total')) === 1)
      assert.equal(await errorOf(client, 'orders'), ErrorCode.NONE)
      assert.equal(await gateway.metric('vkitm_audit_blocked'), 0)
      assert.equal((await gateway.page('/readyz')).status, 200)
      client.socket.destroy()
    } finally {
      await gateway.stop()
      closeSync(fd)
    }
  })

  test('closes every request under a policy where it is required, says so, and serves once there is room', async () => {
    const fd = openSync('/dev/full', 'w')
    const sink = new LineSink({ fd, keepsLines: true, retryMs: 50 })
    const gateway = await start(sink, true)
    const file = join(folder, 'audit.log')
    try {
      const client = await gateway.connect()
      assert.equal(await errorOf(client, 'secret'), ErrorCode.TOPIC_AUTHORIZATION_FAILED)
      await until('blocked', async () => (await gateway.metric('vkitm_audit_blocked')) === 1)
      const asked = () => cluster.seen.of(ApiKey.Metadata).filter(({ header }) => header.clientId !== 'vkitm').length
      const seen = asked()
      client.send(ApiKey.Metadata, 8, named('orders'))
      await within('closed', client.closed)
      const again = await gateway.connect()
      again.send(ApiKey.Metadata, 8, named('orders'))
      await within('closed', again.closed)
      assert.equal(asked(), seen)
      const readiness = await gateway.page('/readyz')
      assert.equal(readiness.status, 503)
      assert.match(readiness.text, /audit records cannot be written: make room at audit\.file/)
      assert.match((await gateway.page('/healthz')).text, /degraded.*audit records cannot be written/s)
      await until('said', async () => gateway.log.lines().some(({ message }) => /refused until they can/.test(message)))
      // As if somebody had made room.
      replaceDescriptor(fd, file)
      await until('unblocked', async () => (await gateway.metric('vkitm_audit_blocked')) === 0)
      const later = await gateway.connect()
      assert.equal(await errorOf(later, 'orders'), ErrorCode.NONE)
      later.socket.destroy()
      assert.equal(sink.dropped, 0)
      const [line, ...more] = readFileSync(file, 'utf8').trim().split('\n')
      assert.deepEqual([JSON.parse(line!).resource, more], ['secret', []])
    } finally {
      await gateway.stop()
      closeSync(fd)
    }
  })
})
