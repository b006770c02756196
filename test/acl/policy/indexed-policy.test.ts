import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Operation, Policy, Question } from '../../../src/acl/policy/policy.ts'
import { allows, ask, hostModel, policyOf, question, subject } from './policy-fixture.ts'

const alice = 'User:alice'

describe('a policy of the shipped model', () => {
  it('denies what no rule allows', () => {
    const policy = policyOf('')
    const verdict = ask(policy, alice, 'Fetch read topic orders')
    assert.deepEqual({ ...verdict }, { allowed: false, why: 'default' })
  })

  it('names the rule that decides, with file, line and text', () => {
    const policy = policyOf('# a comment\n\np, User:alice, topic, orders, read, allow\n')
    const verdict = ask(policy, alice, 'Fetch read topic orders')
    assert.equal(verdict.allowed, true)
    assert.deepEqual(
      { ...verdict.rule },
      { file: 'policy.csv', line: 3, text: 'p, User:alice, topic, orders, read, allow' },
    )
  })

  it('matches exact names, prefixes and whole-name expressions, and nothing near them', () => {
    const policy = policyOf(
      ['exact', 'pre-*', '~[a-c]+\\.x', '\\~tilde', 'star\\*', 'a.b']
        .map(name => `p, *, topic, ${name}, read, allow`)
        .join('\n'),
    )
    const can = (name: string) => allows(policy, alice, `Fetch read topic ${name}`)
    for (const name of ['exact', 'pre-', 'pre-x', 'abc.x', '~tilde', 'star*', 'a.b']) assert.ok(can(name), name)
    for (const name of [
      'exac',
      'exactly',
      'pre',
      'xpre-',
      'abcx',
      'zabc.x',
      'abc.xz',
      'tilde',
      '\\~tilde',
      'star',
      'starx',
      'a_b',
      'Exact',
    ])
      assert.ok(!can(name), name)
  })

  it('finds every prefix of a name among many that are none', () => {
    const prefixes = ['', 'a', 'ab', 'abc', 'abd', 'b', 'ba', 'bac']
    for (const allowed of prefixes) {
      const rows = prefixes.map(
        prefix => `p, ${prefix === allowed ? alice : 'User:other'}, topic, ${prefix}*, read, allow`,
      )
      const more = prefixes.map(prefix => `p, ${alice}, topic, ${prefix}*, write, allow`)
      const policy = policyOf([...more, ...rows].join('\n'))
      for (const name of ['', 'a', 'aa', 'ab', 'abce', 'abd', 'abe', 'b', 'bab', 'bacx', 'c'])
        assert.equal(allows(policy, alice, `Fetch read topic ${name}`), name.startsWith(allowed), `${allowed}* ${name}`)
    }
  })

  it('lets a deny win over every allow, wherever it stands, and names the first', () => {
    const policy = policyOf(`
      p, User:alice, topic, *, read, allow
      p, User:alice, topic, orders, read, allow
      p, *, topic, ord*, read, deny
      p, *, topic, ~o.*s, read, deny`)
    const verdict = ask(policy, alice, 'Fetch read topic orders')
    assert.equal(verdict.allowed, false)
    assert.equal(verdict.rule?.line, 4)
    assert.equal(allows(policy, alice, 'Fetch read topic payments'), true)
  })

  it('lets an allow imply what Kafka says, and a deny nothing', () => {
    for (const granted of ['read', 'write', 'delete', 'alter'] as const) {
      const policy = policyOf(`p, *, topic, t, ${granted}, allow`)
      assert.ok(allows(policy, alice, 'Metadata describe topic t'), granted)
      assert.ok(!allows(policy, alice, 'DescribeConfigs describeConfigs topic t'), granted)
    }
    const configs = policyOf('p, *, topic, t, alterConfigs, allow')
    assert.ok(allows(configs, alice, 'DescribeConfigs describeConfigs topic t'))
    assert.ok(!allows(configs, alice, 'Metadata describe topic t'))
    const denied = policyOf('p, *, topic, t, describe, allow\np, *, topic, t, read, deny')
    assert.ok(allows(denied, alice, 'Metadata describe topic t'))
    const undescribed = policyOf('p, *, topic, t, read, allow\np, *, topic, t, describe, deny')
    assert.ok(allows(undescribed, alice, 'Fetch read topic t'))
    assert.ok(!allows(undescribed, alice, 'Metadata describe topic t'))
  })

  it('takes * for every operation, allowed or denied', () => {
    const policy = policyOf('p, *, topic, *, *, allow\np, *, topic, secret, *, deny')
    for (const operation of ['read', 'write', 'create', 'describeConfigs'] as Operation[]) {
      assert.ok(allows(policy, alice, `Fetch ${operation} topic t`))
      assert.ok(!allows(policy, alice, `Fetch ${operation} topic secret`))
    }
  })

  it('matches a rule by API with that API alone, on its own type, and lets it imply nothing elsewhere', () => {
    const policy = policyOf('p, *, topic, t, Fetch, allow\np, *, transactionalId, x, Produce, allow')
    assert.ok(allows(policy, alice, 'Fetch read topic t'))
    assert.ok(!allows(policy, alice, 'ShareFetch read topic t'))
    assert.ok(!allows(policy, alice, 'Metadata describe topic t'))
    assert.ok(allows(policy, alice, 'Produce write transactionalId x'))
    assert.ok(!allows(policy, alice, 'Produce write topic x'))
  })

  it('grants no secondary question by API, whether or not it says that it is one, and denies it', () => {
    const granted = policyOf('p, *, topic, t, Metadata, allow\np, *, topic, t, CreateTopics, allow')
    assert.ok(allows(granted, alice, 'Metadata describe topic t'))
    assert.ok(!allows(granted, alice, 'Metadata create topic t'))
    assert.ok(!allows(granted, alice, 'CreateTopics describeConfigs topic t'))
    assert.ok(allows(granted, alice, 'CreateTopics create topic t'))
    const bits: Question = { ...question('Metadata describe topic t'), secondary: true }
    assert.ok(!granted.decide(subject(alice), bits).allowed)
    const denied = policyOf('p, *, topic, t, *, allow\np, *, topic, t, Metadata, deny')
    assert.ok(!allows(denied, alice, 'Metadata create topic t'))
    assert.ok(!denied.decide(subject(alice), bits).allowed)
    assert.ok(allows(denied, alice, 'CreateTopics create topic t'))
  })

  it('gives users what their roles may, through roles of roles', () => {
    const policy = policyOf(`
      p, role:c, topic, t, read, allow
      g, User:alice, role:a
      g, role:a, role:b
      g, role:b, role:c`)
    assert.ok(allows(policy, alice, 'Fetch read topic t'))
    assert.ok(!allows(policy, 'User:bob', 'Fetch read topic t'))
  })

  it('B-30: gives a user who is named like a role nothing, nor a principal that is none', () => {
    const policy = policyOf('p, role:a, topic, t, read, allow\ng, User:alice, role:a', { onError: () => {} })
    assert.ok(!allows(policy, 'User:a', 'Fetch read topic t'))
    assert.ok(!allows(policy, 'User:role:a', 'Fetch read topic t'))
    assert.equal(ask(policy, 'role:a', 'Fetch read topic t').why, 'error')
  })

  it('takes * for everybody, ANONYMOUS too, and knows no user by that name', () => {
    const policy = policyOf('p, *, topic, t, read, allow')
    for (const who of ['User:ANONYMOUS', 'User:*', 'User:CN=a,O="b"'])
      assert.ok(allows(policy, who, 'Fetch read topic t'))
  })

  it('asks no rule about super users', () => {
    const policy = policyOf('p, *, topic, *, *, deny', { superUsers: ['User:admin'] })
    assert.deepEqual({ ...ask(policy, 'User:admin', 'Fetch read topic t') }, { allowed: true, why: 'superUser' })
    assert.ok(!allows(policy, 'User:administrator', 'Fetch read topic t'))
  })

  it('A-27: takes __proto__ and its like for plain names', () => {
    const odd = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    const none = policyOf('p, User:alice, topic, x, read, allow')
    for (const name of odd) {
      assert.ok(!allows(none, alice, `Fetch read topic ${name}`))
      assert.ok(!allows(none, `User:${name}`, 'Fetch read topic x'))
      const policy = policyOf(`p, role:${name}, topic, ${name}, read, allow\ng, User:${name}, role:${name}`)
      assert.ok(allows(policy, `User:${name}`, `Fetch read topic ${name}`))
      assert.ok(!allows(policy, alice, `Fetch read topic ${name}`))
    }
  })

  it('B-33: takes everything it cannot answer for a denial, and reports it', () => {
    const errors: unknown[] = []
    const policy = policyOf('p, *, topic, *, *, allow\np, *, group, ~g+, read, allow', {
      onError: error => errors.push(error),
    })
    for (const text of ['Fetsch read topic t', 'Fetch reed topic t', 'Fetch read tropic t'])
      assert.deepEqual({ ...ask(policy, alice, text) }, { allowed: false, why: 'error' }, text)
    assert.equal(errors.length, 3)
  })

  it('B-33: denies and does not throw even where the report fails', () => {
    const policy = policyOf('p, *, topic, *, *, allow', {
      onError: () => {
        throw new Error('the log is full')
      },
    })
    assert.equal(ask(policy, alice, 'Fetch reed topic t').why, 'error')
  })

  it('answers alike with the same frozen object, so that nothing is allocated for what was asked before', () => {
    const policy = policyOf('p, *, topic, *, read, allow')
    const first = ask(policy, alice, 'Fetch read topic a')
    assert.equal(ask(policy, alice, 'Fetch read topic b'), first)
    assert.ok(Object.isFrozen(first) && Object.isFrozen(first.rule))
    assert.equal(ask(policy, alice, 'Fetch write topic b'), ask(policy, 'User:bob', 'Fetch create topic c'))
  })

  it('remembers no more than it should, and nothing of it wrongly', () => {
    const policy = policyOf('p, *, topic, *, read, allow\np, *, topic, ~.*7, read, deny')
    for (let round = 0; round < 2; round++)
      for (let number = 0; number < 250_000; number++)
        if (allows(policy, alice, `Fetch read topic ${number}`) !== (number % 10 !== 7)) assert.fail(`${number}`)
  })
})

describe('a policy of the model with hosts', () => {
  const policy = policyOf(
    `p, User:alice, topic, t, read, 10.0.0.0/8, allow
     p, User:alice, topic, t, read, 10.1.2.3, deny
     p, User:bob, topic, t, read, 2001:db8::/32, allow
     p, *, topic, open, read, *, allow`,
    { model: hostModel, onError: () => {} },
  )

  it('holds networks and addresses against the client', () => {
    assert.ok(allows(policy, alice, 'Fetch read topic t', '10.200.0.1'))
    assert.ok(allows(policy, alice, 'Fetch read topic t', '::ffff:10.200.0.1'))
    assert.ok(!allows(policy, alice, 'Fetch read topic t', '11.0.0.1'))
    assert.ok(!allows(policy, alice, 'Fetch read topic t', '10.1.2.3'))
    assert.ok(!allows(policy, alice, 'Fetch read topic t', '::ffff:10.1.2.3'))
    assert.ok(allows(policy, 'User:bob', 'Fetch read topic t', '2001:0db8:0::7'))
    assert.ok(!allows(policy, 'User:bob', 'Fetch read topic t', '2001:db9::7'))
    assert.ok(allows(policy, 'User:carol', 'Fetch read topic open', '192.0.2.1'))
    assert.equal(policy.dependsOnMoreThanPrincipal, true)
  })

  it('B-33: denies a client without an address where a rule asks for one', () => {
    assert.equal(ask(policy, alice, 'Fetch read topic t', 'somewhere').why, 'error')
    assert.equal(ask(policy, 'User:carol', 'Fetch read topic open', 'somewhere').allowed, true)
  })

  it('depends on the principal alone where every host is *', () => {
    assert.equal(policyOf('p, *, topic, t, read, *, allow', { model: hostModel }).dependsOnMoreThanPrincipal, false)
    assert.equal(policyOf('p, *, topic, t, read, allow').dependsOnMoreThanPrincipal, false)
  })
})

describe('"on any resource of the type"', () => {
  const any = (rules: string, principal = alice) =>
    policyOf(rules).decideAny(subject(principal), { api: 'InitProducerId', operation: 'write', type: 'topic' }).allowed

  it('is what some allow says that no deny dominates', () => {
    assert.ok(!any(''))
    assert.ok(any('p, *, topic, t, write, allow'))
    assert.ok(any('p, *, topic, t*, *, allow'))
    assert.ok(!any('p, User:bob, topic, t, write, allow'))
    assert.ok(any('p, role:w, topic, t, write, allow\ng, User:alice, role:w'))
    assert.ok(!any('p, *, group, t, *, allow'))
    assert.ok(!any('p, *, topic, t, write, allow\np, *, topic, t, write, deny'))
    assert.ok(!any('p, *, topic, tt, write, allow\np, *, topic, t*, write, deny'))
    assert.ok(!any('p, *, topic, tt*, write, allow\np, *, topic, t*, write, deny'))
    assert.ok(any('p, *, topic, t*, write, allow\np, *, topic, tt*, write, deny'))
    assert.ok(any('p, *, topic, t*, write, allow\np, *, topic, t, write, deny'))
    assert.ok(any('p, *, topic, *, write, allow\np, *, topic, t*, write, deny'))
    assert.ok(!any('p, *, topic, *, write, allow\np, *, topic, *, write, deny'))
    assert.ok(any('p, *, topic, ~t[0-9]+, write, allow\np, *, topic, t, write, deny'))
    assert.ok(!any('p, *, topic, ~t[0-9]+, write, allow\np, *, topic, t*, write, deny'))
    assert.ok(!any('p, *, topic, t1, write, allow\np, *, topic, ~t[0-9]+, write, deny'))
    assert.ok(any('p, *, topic, t, write, allow\np, *, topic, t, read, deny'))
  })

  it('counts an allow of Produce, no other by API, and a deny by the API that is answered', () => {
    assert.ok(any('p, *, topic, t, Produce, allow'))
    assert.ok(!any('p, *, topic, t, AddPartitionsToTxn, allow'))
    assert.ok(!any('p, *, topic, t, InitProducerId, allow'))
    assert.ok(!any('p, *, topic, t, write, allow\np, *, topic, t, InitProducerId, deny'))
    assert.ok(any('p, *, topic, t, write, allow\np, *, topic, t, AddPartitionsToTxn, deny'))
  })

  it('does not let other operations imply it', () => {
    const policy = policyOf('p, *, topic, t, read, allow')
    const describe = { api: 'Metadata', operation: 'describe', type: 'topic' } as const
    assert.equal(policy.decideAny(subject(alice), describe).allowed, false)
  })

  it('a name too long for expressions is denied by each that may match it, allowed by none, and no failure', () => {
    const errors: unknown[] = []
    const policyIs = (...rows: string[]) => policyOf(rows.join('\n'), { onError: error => errors.push(error) })
    const long = 'g'.repeat(1_025)
    const ruleOf = (policy: Policy) => {
      const { allowed, why, rule } = ask(policy, alice, `DescribeGroups describe group ${long}`)
      return [allowed, why, rule?.line]
    }
    const allow = 'p, User:alice, group, ~g[a-z]*, read, allow'
    assert.deepEqual(ruleOf(policyIs(allow)), [false, 'default', undefined])
    assert.deepEqual(ruleOf(policyIs(allow, 'p, User:alice, group, g*, read, allow')), [true, 'rule', 2])
    const deny = 'p, User:alice, group, ~g[x-z]*, describe, deny'
    assert.deepEqual(ruleOf(policyIs('p, User:alice, group, g*, read, allow', deny)), [false, 'rule', 2])
    const elsewhere = 'p, User:alice, group, ~h[x-z]*, describe, deny'
    assert.deepEqual(ruleOf(policyIs('p, User:alice, group, g*, read, allow', elsewhere)), [true, 'rule', 1])
    assert.deepEqual(errors, [])
  })
})
