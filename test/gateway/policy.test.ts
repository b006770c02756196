/** A policy at work in a whole gateway, in front of brokers in memory. */
import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { apiVersionsRequestDefaults } from '../../src/protocol/generated/api-versions-request.ts'
import { metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import { produceRequestDefaults } from '../../src/protocol/generated/produce-request.ts'
import { writeBatch } from '../../src/records/write-batch.ts'
import { Span } from '../../src/wire/span.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startTestGateway, type TestGateway } from '../support/test-gateway.ts'
import { until, within } from '../support/until.ts'

const describeOrders = 'p, User:ANONYMOUS, topic, orders, describe, allow'
const writeOrders = 'p, User:ANONYMOUS, topic, orders, write, allow'

const endpoint = (text: string) => ({ host: text.split(':')[0]!, port: Number(text.split(':')[1]) })

const named = (...names: string[]) => ({
  ...metadataRequestDefaults(),
  allowAutoTopicCreation: false,
  topics: names.map(name => ({ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' })),
})

async function errorsOf(client: RawClient, ...names: string[]): Promise<Record<string, number>> {
  const { topics } = await client.ask(ApiKey.Metadata, 8, named(...names))
  return Object.fromEntries(topics.map(({ name, errorCode }) => [name, errorCode]))
}

async function produce(client: RawClient, topic: string): Promise<number | undefined> {
  const records = Span.of(writeBatch([{ value: Buffer.from('x'), timestamp: 0n }]))
  const { responses } = await client.ask(ApiKey.Produce, 9, {
    ...produceRequestDefaults(),
    acks: -1,
    timeoutMs: 1_000,
    topicData: [{ name: topic, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitionData: [{ index: 0, records }] }],
  })
  return responses[0]?.partitionResponses[0]?.errorCode
}

describe('a policy in a gateway', () => {
  let folder: string
  let rulesFile: string
  let cluster: EmbeddedCluster
  let gateway: TestGateway
  let client: RawClient

  /** As editors and Kubernetes do it: never half a file. */
  const replaceRules = (...rows: string[]): void => {
    writeFileSync(`${rulesFile}.new`, `${rows.join('\n')}\n`)
    renameSync(`${rulesFile}.new`, rulesFile)
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vkitm-policy-'))
    rulesFile = join(folder, 'policy.csv')
    writeFileSync(rulesFile, `${describeOrders}\n`)
    cluster = await startEmbeddedCluster({ nodes: 1 })
    cluster.createTopic('orders', { partitions: 1 })
    cluster.createTopic('secret', { partitions: 1 })
    gateway = await startTestGateway({
      upstream: { bootstrap: cluster.bootstrap.map(endpoint) },
      policy: { rulesFile },
    })
    client = await gateway.connect()
  })

  after(async () => {
    client?.socket.destroy()
    await gateway?.stop()
    await cluster?.stop()
    rmSync(folder, { recursive: true })
  })

  test('what it allows passes, what it does not looks as Kafka would deny it', async () => {
    assert.deepEqual(await errorsOf(client, 'orders', 'secret', 'absent'), {
      orders: ErrorCode.NONE,
      secret: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
      absent: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    })
    assert.equal(await produce(client, 'orders'), ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    const [denial] = gateway.log.lines().filter(({ level, api }) => level === 'audit' && api === 'Produce')
    const { principal, operation, resourceType, resource, outcome, why } = denial!
    assert.deepEqual(
      { principal, operation, resourceType, resource, outcome, why },
      {
        principal: 'User:ANONYMOUS',
        operation: 'write',
        resourceType: 'topic',
        resource: 'orders',
        outcome: 'denied',
        why: 'default',
      },
    )
    assert.equal(await gateway.metric('vkitm_decisions_total', { api: 'Produce', outcome: 'denied' }), 1)
  })

  test('A-11: a request with very many denied names is a thousand records and a number', async () => {
    const other = await gateway.connect()
    const names = Array.from({ length: 3_000 }, (_, at) => `denied-${at}`)
    const errors = Object.values(await errorsOf(other, ...names))
    assert.deepEqual([errors.length, new Set(errors)], [3_000, new Set([ErrorCode.TOPIC_AUTHORIZATION_FAILED])])
    other.socket.destroy()
    const records = gateway.log
      .lines()
      .filter(({ level, resource }) => level === 'audit' && /^denied-/.test(`${resource}`))
    assert.equal(records.length, 1_000)
    assert.ok((await gateway.metric('vkitm_decisions_total', { api: 'Metadata', outcome: 'denied' })) >= 3_000)
  })

  test('nobody logs in through it where the listener has no login: not advertised, and closed', async () => {
    const stranger = await gateway.connect()
    const { apiKeys } = await stranger.ask(ApiKey.ApiVersions, 3, {
      ...apiVersionsRequestDefaults(),
      clientSoftwareName: 'test',
      clientSoftwareVersion: '1',
    })
    const advertised = apiKeys.map(({ apiKey }) => apiKey)
    assert.ok(advertised.includes(ApiKey.Produce))
    const logins: readonly number[] = [ApiKey.SaslHandshake, ApiKey.SaslAuthenticate]
    assert.deepEqual(
      advertised.filter(key => logins.includes(key)),
      [],
    )
    const refused = await gateway.metric('vkitm_refused_total', { api: 'SaslHandshake' })
    stranger.send(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
    await within('closed', stranger.closed)
    assert.equal(await gateway.metric('vkitm_refused_total', { api: 'SaslHandshake' }), refused + 1)
  })

  test('a changed file is in force on open connections within a second', async () => {
    const tookMs: number[] = []
    // A busy machine may be late once, and a gateway that is always late fails.
    while (tookMs.length < 5 && !tookMs.some(ms => ms < 1_000)) {
      const changedAt = performance.now()
      replaceRules(describeOrders, writeOrders)
      await until('written', async () => (await produce(client, 'orders')) === ErrorCode.NONE)
      tookMs.push(performance.now() - changedAt)
      replaceRules(describeOrders)
      const isDenied = async () => (await produce(client, 'orders')) === ErrorCode.TOPIC_AUTHORIZATION_FAILED
      await until('denied again', isDenied)
    }
    assert.ok(Math.min(...tookMs) < 1_000, `${tookMs} ms`)
  })

  test('a bad file changes nothing and is loud', async () => {
    replaceRules(describeOrders, 'p, User:ANONYMOUS, topic, secret, raed, allow')
    await until('failed', async () => (await gateway.metric('vkitm_reload_failed_total')) > 0)
    assert.deepEqual(await errorsOf(client, 'orders'), { orders: ErrorCode.NONE })
    const { status, text } = await gateway.page('/healthz')
    assert.equal(status, 200)
    assert.match(text, /degraded/)
    assert.match(text, /policy\.csv:2/)
    replaceRules(describeOrders)
    await until('healed', async () => (await gateway.page('/healthz')).text.includes('"ok"'))
  })
})
