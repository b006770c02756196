import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { questionsOf } from '../../../src/acl/policy/api-questions.ts'
import { type LearntPolicy, learn } from '../../../src/acl/policy/learn.ts'
import { lintPolicy } from '../../../src/acl/policy/lint-policy.ts'
import { anyResource, type Observation, Observed } from '../../../src/acl/policy/observed.ts'
import type { Operation, Policy, ResourceType } from '../../../src/acl/policy/policy.ts'
import { prefixesOf } from '../../../src/acl/policy/prefixes.ts'
import { hostModel, plainModel, policyOf, subject } from './policy-fixture.ts'
import { Random } from './random-policies.ts'

const seed = Number(process.env.VKITM_SEED ?? Math.floor(Math.random() * 2 ** 31))

const principals = ['User:alice', 'User:bob', 'User:CN=a,O=b', 'User:role:x', 'User:"q"uoted', 'User:#a', 'User:ü']
const names = ['a', 'ab', 'a.b', 'x*', '*', '~a', '\\~a', 'a\\', ' a', 'a"b', '""', '"a"', 'a,b', 'a\nb', 'ü', '', '#']
const apis = [
  ...['Produce', 'Fetch', 'Metadata', 'CreateTopics', 'DeleteTopics', 'InitProducerId', 'OffsetFetch', 'AlterConfigs'],
  ...['DescribeConfigs', 'OffsetCommit', 'DeleteGroups', 'CreateDelegationToken', 'WriteTxnMarkers'],
]

function observation(random: Random, hosts: readonly string[]): Observation {
  const api = random.pick(apis)
  const [type, asked] = random.pick(Object.entries(questionsOf(api)!)) as [ResourceType, readonly string[]]
  const operation = random.pick(asked).replace('?', '') as Operation
  const isAny = api === 'InitProducerId' && type === 'topic'
  const name = isAny ? anyResource : type === 'cluster' ? 'kafka-cluster' : random.pick(names)
  const [principal, host, times] = [random.pick(principals), random.pick(hosts), 1 + random.below(9)]
  return { principal, host, api, operation, type, name, times }
}

function isAllowed(policy: Policy, { principal, host, api, operation, type, name }: Observation): boolean {
  const asker = subject(principal, host === '*' ? '10.0.0.1' : host)
  if (typeof name === 'string') return policy.decide(asker, { api, operation, type, name }).allowed
  // Either will do, as Kafka has it.
  const wide = { api, operation: 'idempotentWrite', type: 'cluster', name: 'kafka-cluster' } as const
  return policy.decideAny(asker, { api, operation, type }).allowed || policy.decide(asker, wide).allowed
}

const observedFrom = (observations: readonly Observation[]): Observed => {
  const observed = new Observed()
  for (const each of observations) observed.add(each)
  return observed
}
const textOf = ({ rules }: LearntPolicy): string => `${rules.map(({ row }) => row).join('\n')}\n`

describe('a learnt policy', () => {
  const one = { principal: 'User:a', host: '*', times: 1 }

  for (const model of ['plain', 'withHost'] as const) {
    it(`passes the check, allows all that was observed and loses some of it with every rule (${model}, seed ${seed})`, async () => {
      const random = new Random(seed)
      const file = model === 'plain' ? plainModel : hostModel
      const hosts = model === 'plain' ? ['*'] : ['10.0.0.1', '10.0.0.2', '2001:db8::1']
      for (let round = 0; round < 60; round++) {
        const observations = Array.from({ length: 1 + random.below(30) }, () => observation(random, hosts))
        const learnt = learn(observedFrom(observations), { model })
        assert.deepEqual(learnt.refusals, [])
        const text = textOf(learnt)
        const { findings } = await lintPolicy({ model: file, rules: [{ path: 'learnt.csv', text }] })
        assert.deepEqual(
          findings.filter(({ severity }) => severity === 'error'),
          [],
          text,
        )
        const policy = policyOf(text, { model: file })
        for (const each of observations)
          assert.ok(isAllowed(policy, each), `${JSON.stringify(each)} is denied by\n${text}`)
        for (const [at, { row }] of learnt.rules.entries()) {
          const without = policyOf(text.split('\n').toSpliced(at, 1).join('\n'), { model: file })
          assert.ok(
            observations.some(each => !isAllowed(without, each)),
            `${row} is not needed in\n${text}`,
          )
        }
        // Whatever the order in which it was observed.
        assert.equal(textOf(learn(observedFrom([...observations].reverse()), { model })), text)
      }
    })
  }

  it('counts what a rule allows, implied operations and every API included', () => {
    const topic = { ...one, type: 'topic', name: 't' } as const
    const observed = observedFrom([
      { ...topic, api: 'Metadata', operation: 'describe', times: 3 },
      { ...topic, api: 'Fetch', operation: 'read', times: 4 },
      { ...topic, api: 'Fetch', operation: 'read', times: 5 },
    ])
    const [rule, ...more] = learn(observed, { model: 'plain' }).rules
    assert.deepEqual(more, [])
    const { act, times, apis } = rule!
    assert.deepEqual({ act, times, apis }, { act: 'read', times: 12, apis: ['Fetch', 'Metadata'] })
  })

  it('grants an idempotent producer no more than it needs', () => {
    const any = { ...one, api: 'InitProducerId', operation: 'write', type: 'topic', name: anyResource } as const
    const write = { ...one, api: 'Produce', operation: 'write', type: 'topic', name: 't' } as const
    const rows = (...all: Observation[]) => learn(observedFrom(all), { model: 'plain' }).rules.map(({ row }) => row)
    assert.deepEqual(rows(any, write), ['p, User:a, topic, t, write, allow'])
    assert.deepEqual(rows(any), ['p, User:a, cluster, kafka-cluster, idempotentWrite, allow'])
    // Another's right to write is not one's own.
    assert.equal(rows(any, { ...write, principal: 'User:b' }).length, 2)
  })

  it('names what no rule can say', () => {
    const read = { ...one, api: 'JoinGroup', operation: 'read', type: 'group' } as const
    const { rules, refusals } = learn(
      observedFrom([
        { ...read, name: ' '.repeat(300) },
        { ...read, name: 'g', principal: 'User:*' },
        { ...read, name: 'g', principal: 'User:a ' },
      ]),
      { model: 'plain' },
    )
    assert.deepEqual(rules, [])
    assert.deepEqual(
      refusals.map(({ why }) => why),
      ['a rule for User:* would be one for everybody', 'no rule can have this name', 'no row can hold this principal'],
    )
  })

  it('suggests a prefix only where asked, and beside the rules', () => {
    const read = { ...one, api: 'Fetch', operation: 'read', type: 'topic' } as const
    const observed = observedFrom(['o.a', 'o.b', 'o.c', 'other'].map(name => ({ ...read, name })))
    assert.deepEqual(learn(observed, { model: 'plain' }).suggestions, [])
    const { rules, suggestions } = learn(observed, { model: 'plain', namesMin: 3 })
    assert.equal(rules.length, 4)
    assert.deepEqual(suggestions, [{ who: 'User:a', row: 'p, User:a, topic, o.*, read, allow', replaces: 3 }])
  })

  it('is refused with what to do where there is too much that is different', () => {
    const observed = new Observed(2)
    const read = { ...one, api: 'Fetch', operation: 'read', type: 'topic' } as const
    for (const name of ['a', 'b', 'a', 'b']) observed.add({ ...read, name })
    assert.throws(() => observed.add({ ...read, name: 'c' }), /more than 2 different resources.*--principal/)
    const long = new Observed()
    assert.throws(() => {
      for (let at = 0; ; at++) long.add({ ...read, name: `${at}`.padEnd(1_000_000) })
    }, /64 MiB of names/)
  })
})

describe('prefixes that names share', () => {
  it('are as long as they can be, end with a separator and spare topics of the brokers', () => {
    assert.deepEqual(prefixesOf(['p.o.1', 'p.o.2', 'p.o.3', 'p.x', 'p.y', 'p.z', 'q', 'q1', 'q2'], 3), [
      { prefix: 'p.', names: 3 },
      { prefix: 'p.o.', names: 3 },
    ])
    assert.deepEqual(prefixesOf(['p.o.1', 'p.o.2', 'p.x.1'], 3), [{ prefix: 'p.', names: 3 }])
    assert.deepEqual(prefixesOf(['__consumer_offsets', '__transaction_state', '__mine'], 3), [])
  })
})
