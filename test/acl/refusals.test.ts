import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { telemetryBytesMax } from '../../src/acl/push-telemetry.ts'
import { defaultRefusals, refusable, refusalProblems, refusalsOf } from '../../src/acl/refusals.ts'
import { closest } from '../../src/closest.ts'
import { ServedApis } from '../../src/pipeline/served-apis.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { judged } from '../support/judged.ts'
import { plainPolicy } from '../support/plain-policy.ts'

describe('what is refused by default', () => {
  it('B-23: ACLs, tokens, quotas, passwords, features, voters and brokers are not served at all', () => {
    const served = new ServedApis(refusalsOf().keys)
    const keys = [29, 30, 31, 38, 39, 40, 41, 48, 49, 50, 51, 57, 64, 80, 81, 82, 94]
    assert.deepEqual(
      keys.filter(key => served.versionsOf(key) !== undefined),
      [],
    )
    assert.ok(served.versionsOf(ApiKey.DescribeConfigs) !== undefined)
  })

  it('B-25: telemetry is not served', () => {
    const served = new ServedApis(refusalsOf().keys)
    assert.deepEqual([served.versionsOf(71), served.versionsOf(72)], [undefined, undefined])
  })

  it('B-20, B-21: of settings, only those of topics are changed, and those of brokers are not told', () => {
    const { refuses } = refusalsOf()
    const types = ['topic', 'broker', 'brokerLogger', 'clientMetrics', 'group']
    const closedTo = (api: string): string[] => types.filter(type => refuses(api, type))
    assert.deepEqual(closedTo('DescribeConfigs'), ['broker', 'brokerLogger'])
    assert.deepEqual(closedTo('IncrementalAlterConfigs'), ['broker', 'brokerLogger', 'clientMetrics', 'group'])
    // It knows no loggers.
    assert.deepEqual(closedTo('AlterConfigs'), ['broker', 'clientMetrics', 'group'])
  })
})

describe('a list of refusals', () => {
  it('takes the place of the defaults, but for tokens', () => {
    const { keys, refuses } = refusalsOf(['Fetch', 'AlterConfigs:topic'])
    assert.deepEqual([...keys].sort(), [ApiKey.Fetch, ApiKey.CreateDelegationToken].sort())
    assert.equal(refuses('AlterConfigs', 'topic'), true)
    assert.equal(refuses('AlterConfigs', 'broker'), false)
  })

  it('is found wanting where it names what nobody could refuse', () => {
    assert.deepEqual(refusalProblems(['CreateAlcs', 'Fetch', 'Fetch', 'Envelope', 'ApiVersions'], closest), [
      '"CreateAlcs" is no API that clients use; did you mean CreateAcls?',
      'names Fetch twice: leave one out',
      '"Envelope" is no API that clients use',
      '"ApiVersions" is no API that clients use',
    ])
    assert.deepEqual(refusalProblems(defaultRefusals, closest), [])
    assert.ok(refusable.includes('AlterConfigs:broker'))
  })
})

describe('telemetry that is opened', () => {
  const push = (length: number): Promise<{ kind: string; bytes: Buffer }> => {
    const partial = { metrics: Buffer.alloc(length).toString('base64') }
    return judged({ key: ApiKey.PushTelemetry, version: 0, partial, policy: plainPolicy([]) })
  }

  it('B-25: is refused from one byte over the bound on', async () => {
    assert.equal((await push(telemetryBytesMax)).kind, 'forward')
    assert.equal((await push(telemetryBytesMax + 1)).kind, 'respond')
  })
})
