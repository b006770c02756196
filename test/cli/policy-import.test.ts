/** `vkitm policy import --config` against brokers that say what a test tells them to; test/system/ asks a real Kafka. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { describeAclsResponseDefaults } from '../../src/protocol/generated/describe-acls-response.ts'
import {
  describeConfigsResourceResultDefaults,
  describeConfigsResponseDefaults,
  describeConfigsResultDefaults,
} from '../../src/protocol/generated/describe-configs-response.ts'
import { type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import { until } from '../support/until.ts'
import { run, temporaryFolder } from './run-command.ts'

const folder = temporaryFolder()
const config = join(folder, 'vkitm.yaml')
const standard = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'

describe('vkitm policy import --config', () => {
  let broker: FakeBroker
  let settings: Record<string, string | null>
  let aclsError: number

  before(async () => {
    broker = await startFakeBroker()
    broker.brokers = [{ nodeId: 3, host: '127.0.0.1', port: broker.port }]
    broker.answer(ApiKey.DescribeAcls, () => ({
      ...describeAclsResponseDefaults(),
      errorCode: aclsError,
      resources: [
        {
          resourceType: 2,
          resourceName: 'orders',
          patternType: 4,
          acls: [{ principal: 'User:alice', host: '*', operation: 3, permissionType: 3 }],
        },
      ],
    }))
    broker.answer(ApiKey.DescribeConfigs, ({ resources }) => ({
      ...describeConfigsResponseDefaults(),
      results: resources.map(({ resourceType, resourceName, configurationKeys }) => ({
        ...describeConfigsResultDefaults(),
        resourceType,
        resourceName,
        errorCode: resourceName === '3' ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST,
        configs: Object.entries(settings)
          .filter(([name]) => configurationKeys?.includes(name))
          .map(([name, value]) => ({ ...describeConfigsResourceResultDefaults(), name, value })),
      })),
    }))
    const listener = { name: 'clients', bind: '127.0.0.1:9092', expose: 'ports', brokerPorts: '9100-9103' }
    const upstream = { bootstrap: ['127.0.0.1:1', `127.0.0.1:${broker.port}`] }
    const clusters = [{ name: 'main', upstream, listeners: [listener], policy: 'none' }]
    writeFileSync(config, JSON.stringify({ clusters, admin: 'none' }))
  })

  beforeEach(() => {
    settings = { 'authorizer.class.name': standard, 'unasked.setting': 'x' }
    aclsError = ErrorCode.NONE
  })

  after(() => broker?.stop())

  it('prints the rules of the broker that answers, and whom its authorizer never asks', async () => {
    settings['super.users'] = 'User:admin'
    const { code, out } = await run('policy', 'import', '--config', config)
    assert.equal(
      out,
      '# model: policies/model.conf\n# policy.superUsers: ["User:admin"]\np, User:alice, topic, orders*, read, allow\n',
    )
    assert.equal(code, 0)
    await until('both connections closed', () => broker.sockets.size === 0)
  })

  it('refuses by name what brokers hide or have set, until somebody says it', async () => {
    settings = { ...settings, 'super.users': null, 'allow.everyone.if.no.acl.found': null }
    const hidden = await run('policy', 'import', '--config', config)
    assert.equal(hidden.code, 1)
    assert.match(hidden.out, /broker 3: super\.users.*\n.*broker 3: allow\.everyone\.if\.no\.acl\.found/)
    const told = ['--super-user', 'User:admin', '--no-allow-everyone']
    assert.equal((await run('policy', 'import', '--config', config, ...told)).code, 0)
    settings['allow.everyone.if.no.acl.found'] = 'true'
    assert.equal((await run('policy', 'import', '--config', config, '--super-user', 'User:admin')).code, 1)
  })

  it('says what is missing where there is no authorizer, and where the gateway may not ask', async () => {
    settings = { 'authorizer.class.name': '' }
    aclsError = ErrorCode.SECURITY_DISABLED
    const none = await run('policy', 'import', '--config', config)
    assert.equal(none.code, 1)
    assert.match(none.out, /broker 3: no authorizer\.class\.name/)
    assert.doesNotMatch(none.out, /^p,/m)
    aclsError = ErrorCode.CLUSTER_AUTHORIZATION_FAILED
    const denied = await run('policy', 'import', '--config', config)
    assert.equal(denied.code, 1)
    assert.match(denied.out, /CLUSTER_AUTHORIZATION_FAILED.*allow Describe on the cluster/)
  })
})
