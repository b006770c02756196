import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aclsToPolicy } from '../../../src/acl/policy/acls-to-policy.ts'
import { judgeAuthorizer } from '../../../src/acl/policy/authorizer-settings.ts'
import { readDescribedAcls } from '../../../src/acl/policy/described-acls.ts'

const standard = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'
const broker = (settings: Readonly<Record<string, string | null>>, nodeId = 1) => ({
  nodeId,
  settings: new Map(Object.entries({ 'authorizer.class.name': standard, ...settings })),
})

describe('what brokers say of their authorizer', () => {
  it('gives super users, and nothing to refuse where rules can say all of it', () => {
    const settings = { 'super.users': 'User:admin;User:CN=a,O=b; ', 'allow.everyone.if.no.acl.found': 'false' }
    assert.deepEqual(
      judgeAuthorizer([broker(settings), broker({ 'super.users': 'User:other' }, 2), broker({}, 3)], {}),
      {
        superUsers: ['User:admin', 'User:CN=a,O=b', 'User:other'],
        refusals: [],
      },
    )
  })

  for (const [settings, says] of [
    [{ 'authorizer.class.name': '' }, /^broker 1: no authorizer\.class\.name: it asks for no rights at all/],
    [{ 'authorizer.class.name': null }, /^broker 1: no authorizer\.class\.name/],
    [{ 'authorizer.class.name': 'org.example.Mine' }, /^broker 1: .*=org\.example\.Mine: decides in a way of its own/],
    [{ 'super.users': null }, /^broker 1: super\.users: .*add --super-user/],
    [{ 'allow.everyone.if.no.acl.found': null }, /^broker 1: allow\.everyone.*add --no-allow-everyone/],
    [{ 'allow.everyone.if.no.acl.found': 'TRUE' }, /^broker 1: allow\.everyone.*=true: allows what no rule names/],
  ] as const) {
    it(`refuses by name ${JSON.stringify(settings)}`, () => {
      const { refusals } = judgeAuthorizer([broker(settings)], {})
      assert.equal(refusals.length, 1)
      assert.match(`${refusals[0]!.what}: ${refusals[0]!.why}`, says)
    })
  }

  it('is completed by what a person says, which can be a refusal, too', () => {
    const hidden = broker({ 'super.users': null, 'allow.everyone.if.no.acl.found': null })
    const told = { superUsers: ['User:admin'], allowEveryone: false }
    assert.deepEqual(judgeAuthorizer([hidden], told), { superUsers: ['User:admin'], refusals: [] })
    assert.equal(judgeAuthorizer([hidden], { ...told, allowEveryone: true }).refusals.length, 1)
  })

  it('is refused where a broker did not tell', () => {
    const { refusals } = judgeAuthorizer([{ nodeId: 7, failure: 'not told: it is away', settings: new Map() }], {})
    assert.deepEqual(refusals, [{ what: 'broker 7: its settings', why: 'not told: it is away' }])
  })
})

describe('ACLs as DescribeAcls tells them', () => {
  const told = (...[resourceType, patternType, operation, permissionType]: [number, number, number, number]) =>
    readDescribedAcls({
      resources: [
        {
          resourceType,
          resourceName: 'x',
          patternType,
          acls: [{ principal: 'User:a', host: '*', operation, permissionType }],
        },
      ],
    })

  it('are those that kafka-acls prints', () => {
    assert.deepEqual(aclsToPolicy(told(5, 4, 15, 2)).rows, ['p, User:a, transactionalId, x*, twoPhaseCommit, deny'])
    assert.deepEqual(aclsToPolicy(told(2, 3, 2, 3)).rows, ['p, User:a, topic, x, *, allow'])
  })

  it('are refused by name where a code is none that rules have', () => {
    for (const codes of [
      [9, 3, 3, 3],
      [2, 9, 3, 3],
      [2, 3, 99, 3],
      [2, 3, 3, 9],
    ] as const) {
      const { rows, refusals } = aclsToPolicy(told(...(codes as [number, number, number, number])))
      assert.deepEqual([rows.length, refusals.length], [0, 1])
    }
  })

  it('say whether they reach what brokers keep in topics', () => {
    const reaches = (name: string, patternType: string, permissionType = 'ALLOW') =>
      aclsToPolicy([
        {
          ...{ resourceType: 'TOPIC', resourceName: name, patternType, permissionType },
          ...{ principal: 'User:a', host: '*', operation: 'READ' },
        },
      ]).reachesInternalTopics
    assert.deepEqual(
      [
        reaches('*', 'LITERAL'),
        reaches('__', 'PREFIXED'),
        reaches('o', 'PREFIXED'),
        reaches('__consumer_offsets', 'LITERAL'),
        reaches('*', 'LITERAL', 'DENY'),
      ],
      [true, true, false, false, false],
    )
  })
})
