import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Acl, aclsToPolicy } from '../../../src/acl/policy/acls-to-policy.ts'
import type { Operation, ResourceType } from '../../../src/acl/policy/policy.ts'
import { readPrintedAcls } from '../../../src/acl/policy/printed-acls.ts'
import { ask, hostModel, plainModel, policyOf, subject } from './policy-fixture.ts'
import { Random } from './random-policies.ts'
import { authorize, authorizeByResourceType } from './standard-authorizer.ts'

const seed = Number(process.env.VKITM_SEED ?? Math.floor(Math.random() * 2 ** 31))
const acl = (given: Partial<Acl>): Acl => ({
  resourceType: 'TOPIC',
  resourceName: 't',
  patternType: 'LITERAL',
  principal: 'User:alice',
  host: '*',
  operation: 'READ',
  permissionType: 'ALLOW',
  ...given,
})

const names = [
  'a',
  'ab',
  'abc',
  'b',
  '*x',
  'x*',
  'x\\*',
  '~',
  '~a',
  '\\~a',
  'a\\',
  ' a',
  'a"b',
  '""',
  '"a"',
  'a,b',
  'a\nb',
  'ü',
  '[a]',
  'a.b',
]
const principals = ['User:alice', 'User:bob', 'User:CN=a,O=b', 'User:role:x']
const hosts = ['10.0.0.1', '10.0.0.2', '0:0:0:0:0:0:0:1']
const byType: Readonly<Record<string, readonly string[]>> = {
  TOPIC: ['READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DELETE', 'ALTER', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  GROUP: ['READ', 'DESCRIBE', 'DELETE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  TRANSACTIONAL_ID: ['DESCRIBE', 'WRITE', 'TWO_PHASE_COMMIT'],
}
const camel = (words: string) => words.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())

function randomAcl(random: Random): Acl {
  const type = random.pick(Object.keys(byType))
  const prefixed = random.chance(0.3)
  return {
    resourceType: type,
    resourceName: !prefixed && random.chance(0.15) ? '*' : random.pick(names),
    patternType: prefixed ? 'PREFIXED' : 'LITERAL',
    principal: random.chance(0.2) ? 'User:*' : random.pick(principals),
    host: random.chance(0.8) ? '*' : random.pick(hosts),
    operation: random.chance(0.1) ? 'ALL' : random.pick(byType[type]!),
    permissionType: random.chance(0.3) ? 'DENY' : 'ALLOW',
  }
}

describe("a cluster's ACLs as a policy", () => {
  it('decide what StandardAuthorizer decides, on one resource and on any of a type', t => {
    t.diagnostic(`VKITM_SEED=${seed}`)
    const random = new Random(seed)
    const counts = { allowed: 0, anyAllowed: 0 }
    for (let round = 0; round < 400; round++) {
      const acls = Array.from({ length: 1 + random.below(12) }, () => randomAcl(random))
      const { rows, model, refusals } = aclsToPolicy(acls)
      assert.deepEqual(refusals, [])
      const policy = policyOf(rows.join('\n'), { model: model === 'plain' ? plainModel : hostModel })
      for (let number = 0; number < 60; number++) {
        const [type, name] = [random.pick(Object.keys(byType)), random.pick(names)]
        const action = {
          principal: random.pick(principals),
          host: random.pick(hosts),
          type,
          operation: random.pick(byType[type]!),
        }
        const asker = subject(action.principal, action.host)
        const question = {
          api: 'ApiVersions',
          operation: camel(action.operation) as Operation,
          type: camel(type) as ResourceType,
        }
        const told = () => JSON.stringify({ acls, action, name, rows })
        const allowed = authorize(acls, action, name)
        assert.equal(policy.decide(asker, { ...question, name }).allowed, allowed, told())
        const any = authorizeByResourceType(acls, action)
        assert.equal(policy.decideAny(asker, question).allowed, any, told())
        counts.allowed += Number(allowed)
        counts.anyAllowed += Number(any)
      }
    }
    assert.ok(counts.allowed > 200 && counts.anyAllowed > 200, JSON.stringify(counts))
  })

  it('need the model with hosts only where one names a host', () => {
    assert.deepEqual(aclsToPolicy([acl({})]), {
      model: 'plain',
      rows: ['p, User:alice, topic, t, read, allow'],
      reachesInternalTopics: false,
      refusals: [],
    })
    const { model, rows } = aclsToPolicy([acl({}), acl({ host: '10.0.0.1', permissionType: 'DENY' })])
    assert.equal(model, 'withHost')
    assert.deepEqual(rows, ['p, User:alice, topic, t, read, *, allow', 'p, User:alice, topic, t, read, 10.0.0.1, deny'])
  })

  it('are refused by name where no rule can say them', () => {
    const refused = [
      acl({ principal: 'Group:admins' }),
      acl({ principal: 'User: x"" ' }),
      acl({ host: 'example.com' }),
      acl({ operation: 'WRITE', resourceType: 'GROUP' }),
      acl({ resourceType: 'UNKNOWN' }),
      acl({ patternType: 'MATCH' }),
      acl({ permissionType: 'ANY' }),
      acl({ resourceType: 'GROUP', resourceName: `\n${'ü'.repeat(400)}` }),
    ]
    const { rows, refusals } = aclsToPolicy(refused, { allowEveryoneIfNoAclFound: true })
    assert.deepEqual(rows, [])
    assert.equal(refusals.length, refused.length + 1)
    assert.match(refusals[0]!.what, /allow.everyone.if.no.acl.found/)
    assert.match(refusals[1]!.what, /ALLOW READ on LITERAL TOPIC "t" for Group:admins/)
  })
})

describe('what kafka-acls prints', () => {
  const printed = [
    'Current ACLs for resource `ResourcePattern(resourceType=TOPIC, name=orders, patternType=PREFIXED)`: ',
    ' \t(principal=User:CN=a,O=b, host=*, operation=WRITE, permissionType=ALLOW)',
    '\t(principal=User:bob, host=10.0.0.1, operation=ALL, permissionType=DENY) ',
    '',
    'Current ACLs for resource `ResourcePattern(resourceType=CLUSTER, name=kafka-cluster, patternType=LITERAL)`: ',
    ' \t(principal=User:*, host=*, operation=DESCRIBE, permissionType=ALLOW)',
  ].join('\n')

  it('is read back', () => {
    const { acls, notUnderstood } = readPrintedAcls(printed)
    assert.deepEqual(notUnderstood, [])
    assert.equal(acls.length, 3)
    const policy = policyOf(aclsToPolicy(acls).rows.join('\n'), { model: hostModel })
    assert.equal(ask(policy, 'User:CN=a,O=b', 'Produce write topic orders.eu').allowed, true)
    assert.equal(ask(policy, 'User:bob', 'ListGroups describe cluster kafka-cluster').allowed, true)
  })

  it('is not guessed at', () => {
    assert.deepEqual(readPrintedAcls(`${printed}\nsomething else`).notUnderstood, [{ line: 7, text: 'something else' }])
    assert.equal(
      readPrintedAcls('(principal=User:a, host=*, operation=READ, permissionType=ALLOW)').notUnderstood.length,
      1,
    )
  })
})
