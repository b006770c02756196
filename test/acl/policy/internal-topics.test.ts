import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compilePolicy } from '../../../src/acl/policy/compile-policy.ts'
import type { PolicyOptions } from '../../../src/acl/policy/indexed-policy.ts'
import { plainModel as model, subject } from './policy-fixture.ts'

const alice = subject('User:alice')

const rules = `p, User:alice, topic, *, read, allow
p, User:alice, topic, ~__.*_state, read, allow
p, User:alice, topic, __transaction_state, read, allow
p, User:alice, topic, __share*, read, deny
p, User:alice, topic, __share_group_state, read, allow
p, User:alice, group, *, read, allow
`

function allows(
  name: string,
  internalTopics: PolicyOptions['internalTopics'],
  type: 'topic' | 'group' = 'topic',
): boolean {
  const policy = compilePolicy({
    model,
    rules: [{ path: 'policy.csv', text: rules }],
    superUsers: [],
    generation: 1,
    onError: error => assert.fail(String(error)),
    ...(internalTopics === undefined ? {} : { internalTopics }),
  })
  return policy.decide(alice, { api: 'Fetch', operation: 'read', type, name }).allowed
}

describe('topics in which brokers keep what is theirs', () => {
  test('B-28: are allowed by a rule that names them, and by no prefix or expression', () => {
    assert.equal(allows('__consumer_offsets', undefined), false)
    assert.equal(allows('__cluster_metadata', undefined), false)
    assert.equal(allows('__transaction_state', undefined), true)
  })

  test('B-28: are denied by a prefix all the same', () => assert.equal(allows('__share_group_state', undefined), false))

  test('B-28: any other name is judged by every rule, and so is a group of such a name', () => {
    assert.equal(allows('__consumer_offsets2', undefined), true)
    assert.equal(allows('orders', undefined), true)
    assert.equal(allows('__consumer_offsets', undefined, 'group'), true)
  })

  test('are judged as in Kafka where the configuration says so', () => {
    assert.equal(allows('__consumer_offsets', 'judged'), true)
    assert.equal(allows('__share_group_state', 'judged'), false)
  })

  test('B-28: names that differ in a case, a dot or a byte are other names', () => {
    const policy = compilePolicy({
      model,
      rules: [
        {
          path: 'policy.csv',
          text: 'p, User:alice, topic, or.ders, read, allow\np, User:alice, topic, pay*, read, allow\n',
        },
      ],
      superUsers: [],
      generation: 1,
      onError: error => assert.fail(String(error)),
    })
    const may = (name: string) => policy.decide(alice, { api: 'Fetch', operation: 'read', type: 'topic', name }).allowed
    assert.equal(may('or.ders'), true)
    assert.equal(may('pay/../x'), true, 'a name is data: brokers refuse it')
    for (const other of ['or_ders', 'Or.ders', 'or.ders\0', 'or.ders ', ' or.ders', 'or/ders', '..', '', 'pa', 'PAY1'])
      assert.equal(may(other), false, JSON.stringify(other))
  })
})
