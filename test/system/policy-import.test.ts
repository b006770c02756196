// The ACLs of a running Kafka as a policy: what Kafka's authorizer lets each client do, and what the imported policy does.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { everyAcl } from '../../src/acl/policy/described-acls.ts'
import type { Operation, Policy, ResourceType, Subject } from '../../src/acl/policy/policy.ts'
import { cluster, group, topic as topicRights, transactionalId } from '../../src/acl/rights.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import type { RequestByKey, ResponseByKey } from '../../src/protocol/codec.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { Random } from '../../tools/golden/random.ts'
import { hostModel, plainModel, policyOf } from '../acl/policy/policy-fixture.ts'
import { run } from '../cli/run-command.ts'
import { type Authority, type Certificate, createAuthority } from '../support/certificates.ts'
import { fillMessage } from '../support/fill-message.ts'
import { type Kafka, skipReason, startKafka } from '../support/kafka.ts'
import { type Acl, creationOf } from '../support/parity/acl.ts'
import { Connection } from '../support/parity/connection.ts'
import { until } from '../support/until.ts'

const seed = Number(process.env.VKITM_SEED ?? Math.floor(Math.random() * 2 ** 32))
const users = ['alice', 'bob'] as const
const topics = ['orders', 'orders.eu', 'pay', 'audit']
const groups = ['readers', 'readers.eu', 'billing']
const transactionalIds = ['tx', 'tx-1', 'other']

const rights = { topic: topicRights, group, transactionalId, cluster } as const
const names = { topic: topics, group: groups, transactionalId: transactionalIds } as const
const operationsOf = (type: keyof typeof names | 'cluster') => Object.keys(rights[type]) as Acl['operation'][]

const rule = (given: Partial<Acl>): Acl => ({
  principal: 'User:alice',
  type: 'topic',
  pattern: 'literal',
  name: 'orders',
  operation: 'read',
  permission: 'allow',
  host: '*',
  ...given,
})
const gateways = ['describe', 'describeConfigs'].map(operation =>
  rule({ principal: 'User:gateway', type: 'cluster', name: 'kafka-cluster', operation: operation as Acl['operation'] }),
)

function randomRules(random: Random, hosts: readonly string[]): Acl[] {
  return Array.from({ length: 40 }, () => {
    const type = random.pick(['topic', 'topic', 'group', 'transactionalId', 'cluster'] as const)
    const name = type === 'cluster' ? 'kafka-cluster' : random.chance(8) ? '*' : random.pick(names[type])
    const isPrefix = type !== 'cluster' && name !== '*' && random.chance(3)
    const permission = random.chance(name === '*' ? 20 : 6) ? 'deny' : 'allow'
    // Denied to everyone, the cluster is denied to the gateway, too, which then has nothing to import.
    const isForAll = random.chance(6) && !(type === 'cluster' && permission === 'deny')
    return rule({
      principal: isForAll ? 'User:*' : `User:${random.pick(users)}`,
      type,
      pattern: isPrefix ? 'prefixed' : 'literal',
      name: isPrefix ? name.slice(0, 1 + random.below(name.length)) : name,
      operation: random.chance(5) ? 'all' : random.pick(operationsOf(type)),
      permission,
      host: random.pick(hosts),
    })
  })
}

describe(`vkitm policy import --config, seed ${seed}`, { skip: skipReason() }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'vkitm-import-'))
  const config = join(folder, 'vkitm.yaml')
  let authority: Authority
  let kafka: Kafka
  let admin: Connection
  const clients = new Map<string, Connection>()

  async function ask<Key extends ApiKey>(
    connection: Connection,
    key: Key,
    version: number,
    partial: object,
  ): Promise<ResponseByKey[Key]> {
    const body = fillMessage('request', key, partial as never, version) as RequestByKey[Key]
    const outcome = await connection.ask({ key, version, body })
    assert.equal(outcome.kind, 'answered')
    return (outcome as { readonly response: ResponseByKey[Key] }).response
  }

  const client = (name: string): Promise<Connection> => {
    const own = authority.client(name, `CN=${name}`)
    return Connection.open(tlsOptions(own, kafka.brokers[0]!.ports.CLIENTS!))
  }

  /** Takes away what there is. */
  async function setAcls(acls: readonly Acl[]): Promise<void> {
    const every = { ...everyAcl }
    await ask(admin, ApiKey.DeleteAcls, 3, { filters: [every] })
    if (acls.length === 0) return
    const { results } = await ask(admin, ApiKey.CreateAcls, 3, { creations: acls.map(creationOf) })
    assert.deepEqual(new Set(results.map(({ errorCode }) => errorCode)), new Set([ErrorCode.NONE]))
    // Kafka keeps one of each. What a broker tells is what it decides by.
    const count = new Set(acls.map(acl => JSON.stringify(creationOf(acl)))).size
    await until('ACLs known', async () => {
      const { resources } = await ask(admin, ApiKey.DescribeAcls, 3, every)
      return resources.reduce((sum, resource) => sum + resource.acls.length, 0) === count
    })
  }

  before(async () => {
    authority = createAuthority(folder)
    const { certificate, key, ca } = authority.server('server', ['localhost', '127.0.0.1'])
    kafka = await startKafka({
      listeners: [
        { name: 'PLAINTEXT', protocol: 'PLAINTEXT' },
        { name: 'CLIENTS', protocol: 'SSL' },
      ],
      tls: { certificate, key, ca, clientAuth: 'required' },
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS;User:admin',
        'allow.everyone.if.no.acl.found': 'false',
        'ssl.principal.mapping.rules': 'RULE:^CN=([^,]+).*$/$1/,DEFAULT',
        'auto.create.topics.enable': 'false',
      },
    })
    const gateway = authority.client('gateway', 'CN=gateway')
    writeFileSync(
      config,
      JSON.stringify({
        clusters: [
          {
            name: 'main',
            upstream: {
              bootstrap: [`127.0.0.1:${kafka.brokers[0]!.ports.CLIENTS}`],
              tls: { ca: authority.ca, certificate: gateway.certificate, key: gateway.key },
            },
            listeners: [{ name: 'clients', bind: '127.0.0.1:9092', expose: 'ports', brokerPorts: '9100-9110' }],
            policy: 'none',
          },
        ],
        admin: 'none',
      }),
    )
    admin = await client('admin')
    for (const name of users) clients.set(name, await client(name))
    const wanted = topics.map(name => ({ name, numPartitions: 1, replicationFactor: 1 }))
    await ask(admin, ApiKey.CreateTopics, 5, { topics: wanted, timeoutMs: 20_000 })
    await until('coordinators', async () => {
      const ofGroups = await ask(admin, ApiKey.FindCoordinator, 3, { key: 'x', keyType: 0 })
      const ofTransactions = await ask(admin, ApiKey.FindCoordinator, 3, { key: 'x', keyType: 1 })
      return ofGroups.errorCode === ErrorCode.NONE && ofTransactions.errorCode === ErrorCode.NONE
    })
  })

  after(async () => {
    for (const connection of [admin, ...clients.values()]) connection?.close()
    await kafka?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const told = ['--super-user', 'User:ANONYMOUS', '--super-user', 'User:admin', '--no-allow-everyone']

  test('what brokers do not tell, and what they refuse, is named', async () => {
    await setAcls([])
    const refused = await run('policy', 'import', '--config', config)
    assert.equal(refused.code, 1)
    assert.match(refused.out, /CLUSTER_AUTHORIZATION_FAILED.*allow Describe on the cluster/)
    await setAcls([gateways[0]!])
    const half = await run('policy', 'import', '--config', config)
    assert.equal(half.code, 1)
    assert.match(half.out, /broker 1: its settings: not told \(CLUSTER_AUTHORIZATION_FAILED\): allow DescribeConfigs/)
    await setAcls(gateways)
    // Kafka keeps to itself what an authorizer's settings are, as it does not know them.
    const hidden = await run('policy', 'import', '--config', config)
    assert.equal(hidden.code, 1)
    assert.match(hidden.out, /not imported: broker 1: super\.users: .* add --super-user/)
    assert.match(hidden.out, /not imported: broker 1: allow\.everyone\.if\.no\.acl\.found: .*--no-allow-everyone/)
    const { code, out } = await run('policy', 'import', '--config', config, ...told)
    assert.equal(code, 0, out)
    assert.equal(
      out,
      `# model: policies/model.conf
# policy.superUsers: ["User:ANONYMOUS","User:admin"]
p, User:gateway, cluster, kafka-cluster, describe, allow
p, User:gateway, cluster, kafka-cluster, describeConfigs, allow
`,
    )
    const open = await run('policy', 'import', '--config', config, ...told.slice(0, 4), '--allow-everyone')
    assert.match(
      open.out,
      /not imported: broker 1: allow\.everyone\.if\.no\.acl\.found=true: allows what no rule names/,
    )
  })

  for (const hosts of [['*'], ['*', '127.0.0.1', '10.9.9.9']]) {
    test(`the imported policy decides what Kafka decides, hosts ${hosts}`, async t => {
      const random = new Random(seed)
      let compared = 0
      for (let round = 0; round < 6; round++) {
        const acls = [...gateways, ...randomRules(random, hosts)]
        await setAcls(acls)
        const { code, out } = await run('policy', 'import', '--config', config, ...told)
        assert.equal(code, 0, out)
        const model = out.includes('model-with-host') ? hostModel : plainModel
        const policy = policyOf(out, { model, superUsers: ['User:admin', 'User:ANONYMOUS'] })
        for (const name of users) compared += await compare(policy, name, clients.get(name)!)
      }
      t.diagnostic(`${compared} decisions of Kafka compared`)
      assert.ok(compared > 200, `${compared}`)
    })
  }

  async function compare(policy: Policy, name: string, connection: Connection): Promise<number> {
    const subject: Subject = { principal: `User:${name}`, host: '127.0.0.1', listener: '', clientId: '' }
    let compared = 0
    const hold = (type: ResourceType, operation: Operation, resource: string, isAllowed: boolean): void => {
      const api = type === 'transactionalId' ? 'FindCoordinator' : 'DescribeCluster'
      const verdict = policy.decide(subject, { api, operation, type, name: resource, secondary: true })
      assert.equal(verdict.allowed, isAllowed, `${name} ${operation} ${type} ${resource}: ${verdict.rule?.text}`)
      compared++
    }
    /** A bit for each operation; who may not describe is told none. */
    const holdBits = (type: 'topic' | 'group', resource: string, denied: boolean, bits: number): void => {
      if (denied) return hold(type, 'describe', resource, false)
      for (const { operation, bit } of Object.values(rights[type]))
        hold(type, operation, resource, (bits & (1 << bit)) !== 0)
    }
    const metadata = await ask(connection, ApiKey.Metadata, 9, {
      topics: topics.map(topic => ({ name: topic })),
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: true,
    })
    for (const { name: topic, errorCode, topicAuthorizedOperations } of metadata.topics)
      holdBits('topic', topic!, errorCode === ErrorCode.TOPIC_AUTHORIZATION_FAILED, topicAuthorizedOperations)
    const described = await ask(connection, ApiKey.DescribeGroups, 5, { groups, includeAuthorizedOperations: true })
    for (const { groupId, errorCode, authorizedOperations } of described.groups)
      holdBits('group', groupId, errorCode === ErrorCode.GROUP_AUTHORIZATION_FAILED, authorizedOperations)
    for (const key of transactionalIds) {
      const { errorCode } = await ask(connection, ApiKey.FindCoordinator, 3, { key, keyType: 1 })
      hold('transactionalId', 'describe', key, errorCode !== ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    }
    const { errorCode } = await ask(connection, ApiKey.InitProducerId, 4, {
      transactionalId: null,
      transactionTimeoutMs: 1_000,
      producerId: -1n,
      producerEpoch: -1,
    })
    const idempotent = { api: 'InitProducerId', operation: 'idempotentWrite', type: 'cluster' } as const
    const mayWrite =
      policy.decide(subject, { ...idempotent, name: 'kafka-cluster' }).allowed ||
      policy.decideAny(subject, { api: 'InitProducerId', operation: 'write', type: 'topic' }).allowed
    assert.equal(mayWrite, errorCode !== ErrorCode.CLUSTER_AUTHORIZATION_FAILED, `${name} InitProducerId`)
    const own = await ask(connection, ApiKey.DescribeCluster, 0, { includeClusterAuthorizedOperations: true })
    const isTold = policy.decide(subject, {
      api: 'DescribeCluster',
      operation: 'describe',
      type: 'cluster',
      name: 'kafka-cluster',
    })
    if (isTold.allowed)
      for (const { operation, bit } of Object.values(rights.cluster))
        hold('cluster', operation, 'kafka-cluster', (own.clusterAuthorizedOperations & (1 << bit)) !== 0)
    else assert.equal(own.clusterAuthorizedOperations, 0)
    return compared + 2
  }

  const tlsOptions = ({ certificate, key }: Certificate, port: number) => ({
    host: '127.0.0.1',
    port,
    ca: readFileSync(authority.ca),
    cert: readFileSync(certificate),
    key: readFileSync(key),
  })
})
