import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { recogniseModel } from '../../src/acl/policy/shipped-models.ts'
import { run, temporaryFolder } from './run-command.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const policies = join(root, 'policies')
const model = join(policies, 'model.conf')
const starter = join(policies, 'policy.csv')
const shipped = [
  starter,
  ...readdirSync(join(policies, 'examples'))
    .filter(name => name.endsWith('.csv'))
    .map(name => join(policies, 'examples', name)),
]

const folder = temporaryFolder()
function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('what policies/ ships', () => {
  it('are the two models that the index knows', () => {
    assert.equal(recogniseModel(readFileSync(model, 'utf8')), 'plain')
    assert.equal(recogniseModel(readFileSync(join(policies, 'model-with-host.conf'), 'utf8')), 'withHost')
    assert.equal(recogniseModel(readFileSync(model, 'utf8').replace('&& !some', '|| !some')), undefined)
  })

  it('are policies without a warning, each with a test that it passes', async () => {
    assert.ok(shipped.length >= 4)
    for (const rules of shipped) {
      const checked = await run('policy', 'check', '--model', model, '--rules', rules, '--strict')
      assert.equal(checked.code, 0, checked.out)
      const tested = await run('policy', 'test', rules.replace('.csv', '.test.yaml'))
      assert.equal(tested.code, 0, tested.out)
    }
  })

  it('have tests that notice a rule that is gone, whichever it is', async () => {
    for (const rules of shipped) {
      const lines = readFileSync(rules, 'utf8').split('\n')
      for (const [number, line] of lines.entries()) {
        if (!/^[pg],/.test(line)) continue
        const without = file('without.csv', lines.toSpliced(number, 1).join('\n'))
        const { code } = await run(
          'policy',
          'test',
          rules.replace('.csv', '.test.yaml'),
          '--model',
          model,
          '--rules',
          without,
        )
        assert.equal(code, 1, `${rules}: nothing notices the loss of ${line}`)
      }
    }
  })
})

describe('vkitm policy check', () => {
  it('tells file, line and what to write, and exits with 1', async () => {
    const bad = file('bad.csv', 'p, *, topic, t, raed, allow\n')
    const { code, out } = await run('policy', 'check', '--model', model, '--rules', bad)
    assert.equal(code, 1)
    assert.match(out, /refused: 1 error, 0 warnings\n {2}\S*bad\.csv:1: "raed" is no operation or API key: write read/)
    const json = JSON.parse((await run('policy', 'check', '--model', model, '--rules', bad, '--json')).out)
    assert.deepEqual([json.ok, json.findings[0].line, json.findings[0].severity], [false, 1, 'error'])
  })

  it('passes warnings, unless they are to fail', async () => {
    const doubtful = file('doubtful.csv', 'p, role:x, topic, t, read, allow\n')
    assert.equal((await run('policy', 'check', '--model', model, '--rules', doubtful)).code, 0)
    assert.equal((await run('policy', 'check', '--model', model, '--rules', doubtful, '--strict')).code, 1)
  })

  it('exits with 2 where it is called wrongly, with 1 where a file is missing', async () => {
    assert.equal((await run('policy', 'check')).code, 2)
    assert.equal((await run('policy', 'check', starter)).code, 2)
    assert.equal((await run('policy', 'check', '--model', model, '--rules', join(folder, 'none.csv'))).code, 1)
  })
})

describe('--config', () => {
  const cluster = (name: string, port: number, policy: string) => `  - name: ${name}
    upstream: {bootstrap: [127.0.0.1:1]}
    listeners: [{name: clients-${name}, bind: 127.0.0.1:${port}, expose: ports, brokerPorts: ${port + 1}-${port + 2}}]
    policy: ${policy}
`
  const policy = (rules: string, more = '') => `{model: ${model}, rules: ${rules}${more}}`
  const config = (name: string, ...clusters: string[]) => file(name, `clusters:\n${clusters.join('')}`)
  const asked = ['Fetch', 'read', 'topic', 'secret'] as const

  it('brings the policy of every cluster to check, and rules that are only tried', async () => {
    const doubtful = file('tried.csv', 'p, role:x, topic, t, read, allow\n')
    const both = config(
      'both.yaml',
      cluster('one', 20_000, policy(starter, `, shadowRules: ${doubtful}`)),
      cluster('two', 20_010, policy(doubtful)),
      cluster('open', 20_020, 'none'),
    )
    const { code, out } = await run('policy', 'check', '--config', both)
    assert.equal(code, 0, out)
    assert.match(out, /^one: fine: .*\ntwo: fine: 1 rules.*\n.*nobody has role:x.*\none, shadowRules: fine/)
    const json = JSON.parse((await run('policy', 'check', '--config', both, '--cluster', 'two', '--json')).out)
    assert.deepEqual([json.length, json[0].cluster, json[0].ok, json[0].findings.length], [1, 'two', true, 1])
    assert.equal((await run('policy', 'check', '--config', both, '--cluster', 'two', '--strict')).code, 1)
    assert.equal((await run('policy', 'check', '--config', both, '--cluster', 'open')).code, 1)
    assert.equal((await run('policy', 'check', '--config', both, '--cluster', 'three')).code, 2)
    assert.equal((await run('policy', 'check', '--config', both, '--rules', starter)).code, 2)
  })

  it('brings rules, super users and internal topics to explain and test', async () => {
    const all = file('all.csv', 'p, User:a, topic, *, read, allow\n')
    const one = config('one.yaml', cluster('one', 20_000, policy(all, ', superUsers: [User:root]')))
    assert.equal((await run('policy', 'explain', '--config', one, 'User:a', ...asked)).code, 0)
    assert.equal((await run('policy', 'explain', '--config', one, 'User:b', ...asked)).code, 1)
    assert.match((await run('policy', 'explain', '--config', one, 'User:root', ...asked)).out, /to a super user/)
    const expected =
      'expect: [{principal: User:root, allow: [Fetch read topic secret]}, {principal: User:a, deny: [Fetch read topic __consumer_offsets]}]'
    const test = file('config.test.yaml', expected)
    assert.equal((await run('policy', 'test', test, '--config', one)).code, 0)
    const judged = config(
      'judged.yaml',
      cluster('one', 20_000, policy(all, ', superUsers: [User:root], internalTopics: judged')),
    )
    assert.match((await run('policy', 'test', test, '--config', judged)).out, /1 of 2 are not as expected/)
  })

  it('asks which cluster is meant', async () => {
    const two = config('two.yaml', cluster('one', 20_000, policy(starter)), cluster('two', 20_010, policy(starter)))
    const { code, out } = await run('policy', 'explain', '--config', two, 'User:b', ...asked)
    assert.equal(code, 2)
    assert.match(out, /add --cluster one or two/)
    assert.equal((await run('policy', 'explain', '--config', two, '--cluster', 'two', 'User:b', ...asked)).code, 1)
  })
})

describe('vkitm policy explain', () => {
  const explain = (...args: string[]) => run('policy', 'explain', '--model', model, '--rules', starter, ...args)

  it('names the deciding line and the others, and exits as the decision is', async () => {
    const denied = await explain('User:alice', 'Fetch', 'read', 'topic', 'orders.secret')
    assert.equal(denied.code, 1)
    assert.match(
      denied.out,
      /^denied by \S*policy\.csv:\d+: p, User:alice, topic, orders\.secret, read, deny\nalso matching:\n.*orders\.\*, read, allow/,
    )
    const allowed = await explain('User:bob', 'Fetch', 'read', 'topic', 'orders.secret', '--json')
    assert.equal(allowed.code, 0)
    assert.equal(JSON.parse(allowed.out).verdict.allowed, true)
    assert.match((await explain('User:x', 'Fetch', 'read', 'topic', 't')).out, /denied because no rule allows it/)
    assert.match(
      (await explain('User:x', 'Fetch', 'read', 'topic', 't', '--super-user', 'User:x')).out,
      /allowed to a super user/,
    )
    assert.match(
      (await explain('User:alice', 'InitProducerId', 'write', 'any', 'topic')).out,
      /allowed by .*orders\.\*, write/,
    )
  })

  it('exits with 2 for what is no question', async () => {
    for (const words of [
      ['User:a'],
      ['User:a', 'Fetch', 'read', 'topic'],
      ['User:a', 'Fetsch', 'read', 'topic', 't'],
      ['User:a', 'Fetch', 'raed', 'topic', 't'],
    ])
      assert.equal((await explain(...words)).code, 2, words.join(' '))
  })
})

describe('vkitm policy test', () => {
  it('shows what is not as expected, and by which rule', async () => {
    const expectations = file(
      'wrong.test.yaml',
      `model: ${model}\nrules: ${starter}\nexpect:\n  - principal: User:alice\n    allow: [Fetch read topic orders.secret]\n    deny: [Fetch read topic nothing]\n`,
    )
    const { code, out } = await run('policy', 'test', expectations)
    assert.equal(code, 1)
    assert.match(
      out,
      /1 of 2 are not as expected\n {2}User:alice Fetch read topic orders\.secret\n {4}- allow\n {4}\+ deny \(\S+policy\.csv:\d+: p, User:alice/,
    )
    assert.equal(JSON.parse((await run('policy', 'test', expectations, '--json')).out)[0].failures.length, 1)
  })

  it('refuses a file that proves nothing or says what it does not understand', async () => {
    for (const text of [
      'expect: []',
      'expects: 1',
      'expect: [{principal: User:a, allow: [Fetch read topic]}]',
      'expect: [{allow: [Fetch read topic t]}]',
      'expect: [{principal: User:a, allows: [Fetch read topic t]}]',
    ]) {
      const { code } = await run('policy', 'test', file('bad.test.yaml', text), '--model', model, '--rules', starter)
      assert.equal(code, 1, text)
    }
  })

  it('takes a question that cannot be decided for a failure, even where a denial is expected', async () => {
    const rules = file('re.csv', 'p, *, group, ~g+, read, allow\n')
    // Casbin runs it, and cannot say anything of a name that is too long for expressions.
    const own = file('own.conf', readFileSync(model, 'utf8').replace(/^m = .*$/m, '$& && r.op != ""'))
    const text = `expect: [{principal: "User:a", deny: ["JoinGroup read group ${'g'.repeat(2_000)}"]}]`
    assert.equal((await run('policy', 'test', file('long.test.yaml', text), '--model', own, '--rules', rules)).code, 1)
    assert.equal(
      (await run('policy', 'test', file('long.test.yaml', text), '--model', model, '--rules', rules)).code,
      0,
    )
  })
})

describe('vkitm policy import', () => {
  const printed = (operation: string) =>
    `Current ACLs for resource \`ResourcePattern(resourceType=TOPIC, name=t, patternType=LITERAL)\`:\n \t(principal=User:a, host=*, operation=${operation}, permissionType=ALLOW)\n`

  it('prints rules that can be used, and which model they need', async () => {
    const { code, out } = await run('policy', 'import', file('acls.txt', printed('READ')))
    assert.equal(code, 0)
    assert.equal(out, '# model: policies/model.conf\np, User:a, topic, t, read, allow\n')
  })

  it('names what it leaves out, and exits with 1', async () => {
    const { code, out } = await run('policy', 'import', file('acls.txt', printed('CLUSTER_ACTION')))
    assert.equal(code, 1)
    assert.match(
      out,
      /not imported: ALLOW CLUSTER_ACTION on LITERAL TOPIC "t" for User:a from \*: CLUSTER_ACTION is never asked/,
    )
    assert.equal((await run('policy', 'import', file('acls.txt', printed('READ')), '--allow-everyone')).code, 1)
  })
})
