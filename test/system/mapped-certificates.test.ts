/** A real broker with ACLs behind the gateway: what it decides by is the certificate that the mapping gives each principal. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { createAclsRequestDefaults } from '../../src/protocol/generated/create-acls-request.ts'
import { createTopicsRequestDefaults } from '../../src/protocol/generated/create-topics-request.ts'
import { metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import { type Certificate, createAuthority } from '../support/certificates.ts'
import { freePortRange } from '../support/free-ports.ts'
import { type GatewayProcess, startGateway } from '../support/gateway.ts'
import { type Kafka, skipReason, startKafka } from '../support/kafka.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const topic = 'orders'
const [resourceTypeTopic, patternLiteral, describeOperation, allow] = [2, 3, 8, 3]

describe('brokers that decide by certificates', { skip: skipReason(), timeout: 240_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'vkitm-mapped-'))
  const authority = createAuthority(folder)
  const clients = new Map(['alice', 'bob', 'carol'].map(name => [name, authority.client(name, `CN=${name}`)]))
  let kafka: Kafka
  let gateway: GatewayProcess
  let port: number

  before(async () => {
    kafka = await startKafka({
      listeners: [
        { name: 'PLAINTEXT', protocol: 'PLAINTEXT' },
        { name: 'BACK', protocol: 'SSL' },
      ],
      tls: { ...authority.server('brokers', ['127.0.0.1']), clientAuth: 'required' },
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        // The brokers among themselves, and this test where it prepares.
        'super.users': 'User:ANONYMOUS',
        'ssl.principal.mapping.rules': 'RULE:^CN=([^,]+).*$/$1/,DEFAULT',
      },
    })
    await prepare()
    port = await freePortRange(2)
    gateway = await startGateway({ config: configuration(), env: { TMPDIR: folder } })
  })
  after(async () => {
    await gateway?.stop()
    await kafka?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** A topic, and the right to describe it for one principal that no client has at the gateway. */
  async function prepare(): Promise<void> {
    const admin = await connectRaw({ port: kafka.brokers[0]!.port })
    const created = await admin.ask(ApiKey.CreateTopics, 5, {
      ...createTopicsRequestDefaults(),
      topics: [{ name: topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
      timeoutMs: 10_000,
    })
    assert.deepEqual(
      created.topics.map(({ errorCode }) => errorCode),
      [0],
    )
    const creation = {
      resourceType: resourceTypeTopic,
      resourceName: topic,
      resourcePatternType: patternLiteral,
      principal: 'User:behind-alice',
      host: '*',
      operation: describeOperation,
      permissionType: allow,
    }
    const rights = await admin.ask(ApiKey.CreateAcls, 2, { ...createAclsRequestDefaults(), creations: [creation] })
    assert.deepEqual(
      rights.results.map(({ errorCode }) => errorCode),
      [0],
    )
    await admin.close()
  }

  function configuration(): object {
    const files = ({ certificate, key }: Certificate) => ({ certificate, key })
    const mapping = Object.fromEntries(
      ['alice', 'bob'].map(name => [`User:${name}`, files(authority.client(`behind-${name}`, `CN=behind-${name}`))]),
    )
    writeFileSync(join(folder, 'mapping.json'), JSON.stringify(mapping), { mode: 0o600 })
    const upstream = {
      bootstrap: kafka.bootstrapOf('BACK'),
      tls: {
        ca: authority.ca,
        ...files(authority.client('gateway', 'CN=gateway')),
        certificates: join(folder, 'mapping.json'),
      },
    }
    const listener = {
      name: 'clients',
      bind: `127.0.0.1:${port}`,
      expose: 'ports',
      brokerPorts: { first: port + 1, count: 1, firstId: kafka.brokers[0]!.id },
      tls: {
        ...files(authority.server('front', ['127.0.0.1'])),
        clientCa: authority.ca,
        clientAuth: 'require',
      },
      principal: { rules: ['RULE:^CN=([^,]+).*$/$1/'] },
    }
    return { clusters: [{ name: 'main', upstream, listeners: [listener], policy: 'none' }] }
  }

  async function connect(name: string): Promise<RawClient> {
    const { certificate, key } = clients.get(name)!
    const [cert, secret, ca] = [certificate, key, authority.ca].map(file => readFileSync(file))
    return connectRaw({ port, tls: { cert, key: secret, ca, host: '127.0.0.1' } })
  }

  async function describedTo(name: string): Promise<number | undefined> {
    const client = await connect(name)
    const topics = [{ topicId: '00000000-0000-0000-0000-000000000000', name: topic }]
    const request = { ...metadataRequestDefaults(), topics, allowAutoTopicCreation: false }
    const answer = await client.ask(ApiKey.Metadata, 9, request)
    await client.close()
    return answer.topics[0]?.errorCode
  }

  it('let the one see a topic whose certificate may, and nobody else', async () => {
    await until('the gateway knows the cluster', async () => (await fetch(`http://${gateway.admin}/readyz`)).ok, 20_000)
    assert.equal(await describedTo('alice'), 0)
    assert.equal(await describedTo('bob'), 29)
  })

  it('are not dialled for a principal that has none', async () => {
    const carol = await connect('carol')
    carol.send(ApiKey.Metadata, 9, { ...metadataRequestDefaults(), topics: [] })
    await carol.expectClosed()
    assert.equal(carol.receivedBytes, 0)
    await gateway.logged(
      ({ err, principal }) =>
        (err as { code?: string } | undefined)?.code === 'VKITM_UPSTREAM_NO_CREDENTIAL' && principal === 'User:carol',
    )
  })
})
