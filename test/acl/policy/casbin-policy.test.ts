import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loadPolicy } from '../../../src/acl/policy/compile-policy.ts'
import { lintPolicy } from '../../../src/acl/policy/lint-policy.ts'
import type { Policy } from '../../../src/acl/policy/policy.ts'
import { ask, question, subject } from './policy-fixture.ts'

interface Own {
  readonly request?: string
  readonly definition?: string
  readonly roles?: string
  readonly matcher: string
  readonly effect?: string
}

const modelOf = ({
  request = 'sub, type, name, op',
  definition = 'sub, type, name, op, eft',
  roles = 'g = _, _',
  matcher,
  effect = 'some(where (p.eft == allow)) && !some(where (p.eft == deny))',
}: Own) => ({
  path: 'own.conf',
  text: `[request_definition]\nr = ${request}\n[policy_definition]\np = ${definition}\n[role_definition]\n${roles}\n[policy_effect]\ne = ${effect}\n[matchers]\nm = ${matcher}\n`,
})

interface Loaded {
  readonly errors?: unknown[]
  readonly names?: readonly string[]
}

function load(own: Own, rules: string, { errors = [], names = [] }: Loaded = {}): Promise<Policy> {
  return loadPolicy({
    model: modelOf(own),
    rules: [{ path: 'policy.csv', text: rules }],
    superUsers: ['User:admin'],
    generation: 7,
    onError: error => errors.push(error),
    knownNames: () => names,
    pause: async () => {},
  })
}

const exact = 'g(r.sub, p.sub) && r.type == p.type && r.name == p.name && r.op == p.op'

describe("a model of the user's own", () => {
  it('B-28: lets nobody at what brokers keep in topics but by a row that names it', async () => {
    const matcher = 'r.sub == p.sub && r.type == p.type && (p.name == "*" || r.name == p.name) && r.op == p.op'
    const policy = await load(
      { matcher },
      'p, User:alice, topic, *, read, allow\np, User:bob, topic, __consumer_offsets, read, allow',
    )
    assert.equal(ask(policy, 'User:alice', 'Fetch read topic orders').allowed, true)
    assert.equal(ask(policy, 'User:alice', 'Fetch read topic __consumer_offsets').allowed, false)
    assert.equal(ask(policy, 'User:bob', 'Fetch read topic __consumer_offsets').allowed, true)
    assert.equal(ask(policy, 'User:admin', 'Fetch read topic __consumer_offsets').allowed, true)
  })

  it('runs on casbin, and the deciding rule is named', async () => {
    const policy = await load({ matcher: exact }, '# one\np, admins, topic, t, read, allow\ng, User:alice, admins')
    const verdict = ask(policy, 'User:alice', 'Fetch read topic t')
    assert.deepEqual({ ...verdict.rule }, { file: 'policy.csv', line: 2, text: 'p, admins, topic, t, read, allow' })
    assert.equal(verdict.allowed, true)
    assert.equal(
      ask(policy, 'User:alice', 'Metadata describe topic t').allowed,
      false,
      'implications are its own business',
    )
    assert.equal(ask(policy, 'User:bob', 'Fetch read topic t').why, 'default')
    assert.equal(ask(policy, 'User:admin', 'Fetch read topic t').why, 'superUser')
    assert.equal(policy.generation, 7)
    assert.equal(policy.dependsOnMoreThanPrincipal, true)
  })

  it('names the rule that denies', async () => {
    const policy = await load({ matcher: exact }, 'p, User:a, topic, t, read, allow\np, User:a, topic, t, read, deny')
    const verdict = ask(policy, 'User:a', 'Fetch read topic t')
    assert.deepEqual([verdict.allowed, verdict.rule?.line], [false, 2])
  })

  it('is given what its request_definition names, in its order', async () => {
    const policy = await load(
      {
        request: 'clientId, listener, host, api, sub',
        definition: 'net, eft',
        matcher: 'ipMatch(r.host, p.net) && r.api == "Fetch" && r.listener == "clients"',
      },
      'p, 10.0.0.0/8, allow',
    )
    assert.equal(ask(policy, 'User:a', 'Fetch read topic t', '10.9.9.9').allowed, true)
    assert.equal(ask(policy, 'User:a', 'Fetch read topic t', '11.9.9.9').allowed, false)
    assert.equal(ask(policy, 'User:a', 'Produce write topic t', '10.9.9.9').allowed, false)
    assert.equal(
      policy.decide({ ...subject('User:a'), listener: 'other' }, question('Fetch read topic t')).allowed,
      false,
    )
  })

  it('is refused for what it asks and nobody knows, what casbin cannot read, and rows that lack a field', async () => {
    await assert.rejects(
      load({ request: 'sub, obj, act', matcher: 'r.sub == p.sub' }, ''),
      /own.conf:0: asks for obj, act .*known are sub, type/,
    )
    await assert.rejects(load({ matcher: 'r.sub ==' }, 'p, a, b, c, d, allow'), { code: 'VKITM_POLICY' })
    await assert.rejects(
      load({ matcher: exact }, 'p, User:a, topic, t, read'),
      /policy.csv:1: p has 5 fields in the model, this line 4/,
    )
    await assert.rejects(load({ matcher: exact }, 'p, User:a, topic, t, read, alow'), /"alow" is no effect/)
    await assert.rejects(load({ matcher: exact }, 'p2, User:a'), /defines no "p2"/)
    await assert.rejects(load({ matcher: exact }, 'g, User:a'), /g has 2 fields/)
    const { findings } = await lintPolicy({
      model: modelOf({ matcher: exact }),
      rules: [{ path: 'policy.csv', text: 'p, a' }],
    })
    assert.deepEqual(
      findings.map(({ file, line, severity }) => [file, line, severity]),
      [['policy.csv', 1, 'error']],
    )
  })

  it('B-33: takes what it throws for a denial, and reports it', async () => {
    const errors: unknown[] = []
    const policy = await load(
      { request: 'sub, type, name, op, host', matcher: 'ipMatch(r.host, p.name)' },
      'p, a, topic, 10.0.0.0/8, read, allow',
      { errors },
    )
    assert.equal(ask(policy, 'User:a', 'Fetch read topic t', 'nowhere').why, 'error')
    assert.equal(errors.length, 1)
  })

  it('B-31: matches with RE2, and takes no time for what would take for ever', async () => {
    const policy = await load({ matcher: 'regexMatch(r.name, p.name)' }, 'p, a, topic, ^(a+)+$, read, allow')
    assert.equal(ask(policy, 'User:a', 'Fetch read topic aaa').allowed, true)
    const started = performance.now()
    assert.equal(ask(policy, 'User:a', `Fetch read topic ${'a'.repeat(200)}!`).allowed, false)
    assert.ok(performance.now() - started < 1_000)
  })

  it('has the matching functions of casbin', async () => {
    const cases: readonly (readonly [call: string, name: string, matches: boolean])[] = [
      ['regexMatch(r.name, "b")', 'abc', true],
      ['keyMatch(r.name, "a*")', 'abc', true],
      ['keyMatch(r.name, "a*z")', 'abc', true],
      ['keyMatch(r.name, "b*")', 'abc', false],
      ['keyMatch2(r.name, "/a/:id")', '/a/7', true],
      ['keyMatch2(r.name, "/a/:id")', '/a/7/8', false],
      ['keyMatch2(r.name, "/a/:")', '/a/7', false],
      ['keyMatch3(r.name, "/a/{id}/*")', '/a/7/b', true],
      ['keyMatch4(r.name, "/a/{id}/b/{id}")', '/a/7/b/7', true],
      ['keyMatch4(r.name, "/a/{id}/b/{id}")', '/a/7/b/8', false],
      ['keyMatch5(r.name, "/a/{id}")', '/a/7?x=1', true],
      ['globMatch(r.name, "a*.[ab]?")', 'axx.bz', true],
      ['globMatch(r.name, "a*")', 'a/b', false],
      ['globMatch(r.name, "a**")', 'a/b', true],
      ['globMatch(r.name, "{x,y}.[!a]")', 'y.b', true],
      ['globMatch(r.name, "{x,y}.[!a]")', 'y.a', false],
      ['(keyGet(r.name, "/a/*") == "7")', '/a/7', true],
      ['(keyGet2(r.name, "/a/:id", "id") == "7")', '/a/7', true],
      ['kafkaName(r.name, "orders.*")', 'orders.eu', true],
    ]
    for (const [call, name, matches] of cases) {
      const errors: unknown[] = []
      const policy = await load({ matcher: `${call} && r.sub == p.sub` }, 'p, User:a, topic, t, read, allow', {
        errors,
      })
      assert.equal(ask(policy, 'User:a', `Fetch read topic ${name}`).allowed, matches, `${call} ${name}`)
      assert.deepEqual(errors, [])
    }
  })

  it('keeps apart what only a separator would keep apart', async () => {
    const policy = await load({ matcher: 'r.sub == p.sub && r.name == p.name' }, 'p, "User:a,b", topic, c, read, allow')
    assert.equal(ask(policy, 'User:a,b', 'Fetch read topic c').allowed, true)
    assert.equal(ask(policy, 'User:a', 'Fetch read topic b,c').allowed, false)
  })

  it('is asked for every known topic where any will do', async () => {
    const rules = 'p, User:a, topic, t2, write, allow'
    const any = { api: 'InitProducerId', operation: 'write', type: 'topic' } as const
    const asked = async (names: readonly string[]) =>
      (await load({ matcher: exact }, rules, { names })).decideAny(subject('User:a'), any)
    assert.equal((await asked(['t1', 't2'])).allowed, true)
    assert.equal((await asked(['t1'])).allowed, false)
  })

  it('gets a warning where it allows what no rule denies', async () => {
    const model = modelOf({ matcher: exact, effect: '!some(where (p.eft == deny))' })
    const { findings } = await lintPolicy({ model, rules: [{ path: 'policy.csv', text: '' }] })
    assert.match(findings[0]!.message, /allows what no rule denies/)
  })
})
