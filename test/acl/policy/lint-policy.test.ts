import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lintPolicy } from '../../../src/acl/policy/lint-policy.ts'
import { hostModel, plainModel, policyOf } from './policy-fixture.ts'

async function lint(rules: string, model = plainModel): Promise<string[]> {
  const { findings } = await lintPolicy({ model, rules: [{ path: 'policy.csv', text: rules }] })
  return findings.map(({ severity, line, message }) => `${severity} ${line} ${message}`)
}

/** Each with what its message must say, so that its author knows what to write. */
const errors: readonly (readonly [rule: string, says: RegExp])[] = [
  ['p, *, topic, t, read', /5 fields, this one 4: write p, who, type, name, operation or API, effect/],
  ['p, *, topic, t, read, allow, x', /leave the host out|5 fields/],
  ['p, *, topic, t, read, *, allow', /model-with-host/],
  ['p, *, topic, , read, allow', /a field is empty/],
  ['p, alice, topic, t, read, allow', /write User:alice, role:alice, or \* for everybody/],
  ['p, User:*, topic, t, read, deny', /write \* for everybody/],
  ['p, User:, topic, t, read, deny', /lacks a name/],
  ['p, *, topics, t, read, allow', /write topic/],
  ['p, *, topic, t, raed, allow', /write read/],
  ['p, *, topic, t, Read, allow', /write read/],
  ['p, *, topic, t, Fetsch, allow', /write Fetch/],
  ['p, *, topic, t, read, alow', /write allow/],
  ['p, *, topic, t, read, Deny', /write deny/],
  ['p, *, group, t, write, allow', /write is never asked of a group: write one of read/],
  ['p, *, group, t, Produce, deny', /can never match: it asks about topic, transactionalId/],
  ['p, *, topic, t, ApiVersions, deny', /can never match: no rule changes/],
  ['p, *, cluster, main, describe, allow', /kafka-cluster: this rule can never match/],
  ['p, *, topic, ~(?=a)b, read, allow', /write RE2/],
  ['p, *, topic, ~(a, read, allow', /write RE2/],
  [`p, *, topic, ~${'a'.repeat(513)}, read, allow`, /513 characters/],
  ['x, *, topic, t, read, allow', /begins with p/],
  ['g, User:alice', /g line has two fields/],
  ['g, User:alice, admins', /write role:admins/],
  ['g, *, role:a', /everybody cannot have a role/],
  ['g, role:a, role:a', /contains itself/],
]

describe('a policy that cannot be used', () => {
  for (const [rule, says] of errors)
    it(`is refused for ${rule.length > 60 ? `${rule.slice(0, 60)}…` : rule}`, async () => {
      const found = (await lint(`# one\n${rule}`)).filter(finding => finding.startsWith('error 2'))
      assert.equal(found.length > 0, true)
      assert.match(found.join('\n'), says)
      assert.throws(() => policyOf(rule), { code: 'VKITM_POLICY' })
    })

  it('B-29: is refused where a name brings a field too many, and is not where it is quoted', async () => {
    assert.match((await lint('p, User:CN=a,O=b, topic, t, read, allow')).join(), /error 1/)
    assert.deepEqual(await lint('p, "User:CN=a,O=b", topic, t, read, allow'), [])
  })

  it('is refused for a row without host under the model with hosts, and for a host that is none', async () => {
    assert.match((await lint('p, *, topic, t, read, allow', hostModel)).join(), /the host is missing/)
    assert.match((await lint('p, *, topic, t, read, 10.0.0.0/33, allow', hostModel)).join(), /is no host/)
    assert.match((await lint('p, *, topic, t, read, example.com, allow', hostModel)).join(), /is no host/)
  })

  it('is refused for more than ten roles in a chain, and for circles', async () => {
    const chain = (links: number) =>
      ['g, User:a, role:1', ...Array.from({ length: links - 1 }, (_, at) => `g, role:${at + 1}, role:${at + 2}`)].join(
        '\n',
      )
    const rules = 'p, role:10, topic, t, read, allow'
    assert.deepEqual(
      (await lint(`${chain(10)}\n${rules}`)).filter(finding => finding.startsWith('error')),
      [],
    )
    assert.match((await lint(chain(11))).join(), /error 1 .*more than 10 links/)
    assert.match((await lint(chain(50_000))).join(), /error/)
    assert.match(
      (await lint('g, role:a, role:b\ng, role:b, role:c\ng, role:c, role:a')).join(),
      /error .*contains itself/,
    )
  })

  it('tells all its problems at once', async () => {
    assert.equal(
      (await lint('p, a\np, b\np, *, topic, t, x, y')).filter(finding => finding.startsWith('error')).length,
      4,
    )
  })
})

const warnings: readonly (readonly [rules: string, says: RegExp])[] = [
  ['p, *, topic, t, read, allow\np, *,topic,t,"read",allow', /2 says what policy.csv:1 says/],
  ['p, role:a, topic, t, read, allow', /1 nobody has role:a/],
  ['g, User:a, role:b', /1 role:b has no rules/],
  ['p, *, topic, a/b, read, allow', /1 no topic has such a name/],
  [`p, *, topic, ${'t'.repeat(250)}, read, allow`, /1 no topic has such a name/],
  ['p, *, cluster, kafka-cluster, Metadata, allow', /1 Metadata asks about a cluster beside its purpose/],
  ['p, *, topic, t, Fetch, deny', /1 ShareFetch can do the same as Fetch: deny it too/],
  ['p, *, topic, t, AlterConfigs, deny', /IncrementalAlterConfigs can do the same/],
  ['p, *, topic, t, Metadata, deny', /DescribeTopicPartitions can do the same/],
  ['p, *, topic, t, DeleteTopics, deny', /DeleteRecords can do the same/],
  ['p, *, topic, ab*, *, deny\np, User:a, topic, abc, read, allow', /2 policy.csv:1 denies all that this allows/],
]

describe('a policy that is doubtful', () => {
  for (const [rules, says] of warnings)
    it(`gets a warning: ${rules.split('\n').at(-1)!.slice(0, 60)}`, async () => {
      const found = await lint(rules)
      assert.match(found.join('\n'), says)
      assert.ok(
        found.every(finding => finding.startsWith('warning')),
        found.join('\n'),
      )
    })

  it('gets none where the sibling is denied too, or the deny is narrower than the allow', async () => {
    assert.deepEqual(await lint('p, *, topic, t, Fetch, deny\np, *, topic, t, ShareFetch, deny'), [])
    assert.deepEqual(await lint('p, *, topic, abc, *, deny\np, *, topic, ab*, read, allow'), [])
    assert.deepEqual(await lint('p, User:b, topic, ab*, *, deny\np, User:a, topic, abc, read, allow'), [])
  })
})
