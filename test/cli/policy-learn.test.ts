import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { AuditLog, type AuditRecord } from '../../src/telemetry/audit-log.ts'
import { run, temporaryFolder } from './run-command.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const model = join(root, 'policies', 'model.conf')
const hostModel = join(root, 'policies', 'model-with-host.conf')
const folder = temporaryFolder()

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const record = (given: Partial<AuditRecord>): AuditRecord => ({
  outcome: 'allowed',
  principal: 'User:alice',
  api: 'Fetch',
  apiVersion: 13,
  operation: 'read',
  resourceType: 'topic',
  resource: 'orders',
  rule: 'policy.csv:1',
  why: 'rule',
  generation: 1,
  cluster: 'main',
  listener: 'clients',
  connection: 1,
  client: '10.0.0.1:5000',
  clientId: 'c',
  ...given,
})

/** As the gateway writes it. */
function stream(...records: Partial<AuditRecord>[]): string {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line), dropped: 0, flushed: async () => undefined }
  const log = new AuditLog({ destination, now: () => 0 })
  for (const given of records) log.record(record(given), given)
  log.flush()
  return lines.join('')
}

describe('vkitm policy learn', () => {
  const describeIt = { api: 'Metadata', operation: 'describe' }
  const bob = { principal: 'User:bob', outcome: 'wouldDeny', why: 'default', rule: undefined } as const

  it('prints rules by principal, with counts, which pass the check', async () => {
    const audit = file(
      'audit.log',
      stream(
        { ...bob, api: 'Produce', operation: 'write', resource: 'a,b' },
        ...[{}, {}, {}],
        describeIt,
        { resource: 'secret', outcome: 'denied' },
        { resource: 'elsewhere', outcome: 'shadowAllows' },
        { resource: 'all', principal: 'User:admin', why: 'superUser' },
      ),
    )
    const { code, out } = await run('policy', 'learn', '--audit', audit)
    assert.equal(
      out,
      `# model: policies/model.conf
# 2 rules, learnt from 5 decisions: read them before you use them.
# Not in them: 1 denial, which the policy in force meant.
# Not in them: 1 decision about super users, who need no rules.

# User:alice: 1 rule
# 4 × Fetch, Metadata
p, User:alice, topic, orders, read, allow

# User:bob: 1 rule
# 1 × Produce
p, User:bob, topic, "a,b", write, allow
`,
    )
    assert.equal(code, 0)
    const checked = await run('policy', 'check', '--model', model, '--rules', file('learnt.csv', out))
    assert.equal(checked.code, 0, checked.out)
    const withAdmin = await run('policy', 'learn', '--audit', audit, '--with-super-users')
    assert.match(withAdmin.out, /p, User:admin, topic, all, read, allow/)
    const alone = await run('policy', 'learn', '--audit', audit, '--principal', 'User:bob')
    assert.doesNotMatch(alone.out, /alice/)
  })

  it('writes the address that asked under the model with hosts', async () => {
    const audit = file('hosts.log', stream({ client: '10.0.0.1:1' }, { client: '2001:db8::1:7', connection: 2 }))
    const { code, out } = await run('policy', 'learn', '--audit', audit, '--model', hostModel)
    assert.equal(code, 0)
    assert.match(out, /^p, User:alice, topic, orders, read, 10\.0\.0\.1, allow$/m)
    assert.match(out, /^p, User:alice, topic, orders, read, 2001:db8::1, allow$/m)
    const checked = await run('policy', 'check', '--model', hostModel, '--rules', file('hosts.csv', out))
    assert.equal(checked.code, 0, checked.out)
    const own = file('own.conf', '[request_definition]\nr = sub, name\n')
    const refused = await run('policy', 'learn', '--audit', audit, '--model', own)
    assert.equal(refused.code, 1)
    assert.match(refused.out, /a model of your own/)
  })

  it('names bad lines by number, passes over the log, and exits with 1', async () => {
    const lines = [
      '{"level":"info","message":"vkitm is ready"}',
      stream({}).trimEnd(),
      stream({}).slice(0, 40),
      '[]',
      stream({ api: 'Fetsch' }).trimEnd(),
      stream({ operation: 'clusterAction' }).trimEnd(),
      stream({ principal: 'role:a' }).trimEnd(),
      'x'.repeat(3 * 1_048_576),
      stream({ resource: 'last' }).trimEnd(),
      JSON.stringify({ level: 'audit', ...record({}), resource: undefined, more: 7 }),
      JSON.stringify({ level: 'audit', ...record({ outcome: 'denied' }), resource: undefined, more: 8 }),
    ]
    const audit = file('bad.log', lines.join('\n'))
    const { code, out } = await run('policy', 'learn', '--audit', audit)
    assert.equal(code, 1)
    assert.deepEqual(
      [...out.matchAll(/bad\.log:(\d+) (.*)/g)].map(([, line, why]) => `${line} ${why}`),
      [
        '3 is no line of JSON: cut off, or not of an audit stream',
        '4 is no audit record',
        '5 names no API: "Fetsch"',
        '6 clusterAction is never asked of a topic',
        '7 names no principal: "role:a"',
        '8 is longer than 1 MiB',
        '10 stands for 7 decisions whose names are not written down',
      ],
    )
    assert.match(out, /topic, last, read/)
  })

  it('says so where there is nothing to learn from, and where several clusters are in one stream', async () => {
    const empty = await run('policy', 'learn', '--audit', file('empty.log', stream({ outcome: 'denied' })))
    assert.equal(empty.code, 1)
    assert.match(empty.out, /nothing to learn from: run with audit\.allows: true, or with mode: audit/)
    const both = file('both.log', stream({}, { cluster: 'other', resource: 'x' }))
    assert.equal((await run('policy', 'learn', '--audit', both)).code, 2)
    const other = await run('policy', 'learn', '--audit', both, '--cluster', 'other')
    assert.deepEqual(other.out.match(/^p.*$/gm), ['p, User:alice, topic, x, read, allow'])
  })

  it('gives a script the same', async () => {
    const audit = file('json.log', stream(...['o.a', 'o.b', 'o.c'].map(resource => ({ resource }))))
    const { code, out } = await run('policy', 'learn', '--audit', audit, '--suggest-prefixes', '--json')
    assert.equal(code, 0)
    const { model: named, decisions, rules, suggestions, badLines } = JSON.parse(out)
    assert.deepEqual(
      { named, decisions, suggestions, badLines },
      {
        named: 'plain',
        decisions: { learnt: 3, denied: 0, superUsers: 0 },
        suggestions: [{ who: 'User:alice', row: 'p, User:alice, topic, o.*, read, allow', replaces: 3 }],
        badLines: { count: 0, first: [] },
      },
    )
    assert.equal(rules[2].row, 'p, User:alice, topic, o.c, read, allow')
    const asText = await run('policy', 'learn', '--audit', audit, '--suggest-prefixes')
    assert.match(asText.out, /^# p, User:alice, topic, o\.\*, read, allow$/m)
  })

  it('reads standard input, and holds no more than is different in it', async () => {
    const program = join(root, 'dist', 'cli', 'main.js')
    // 48 MiB of heap, most of which the program needs for itself, for 40 MB of stream.
    const child = spawn(process.execPath, ['--max-old-space-size=48', program, 'policy', 'learn', '--audit', '-'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const ended = once(child, 'close')
    const part = stream(...Array.from({ length: 20_000 }, (_, at) => ({ resource: `t${at}` })))
    for (let written = 0; written < 40_000_000; written += part.length)
      if (!child.stdin.write(part)) await once(child.stdin, 'drain')
    child.stdin.end()
    // A pipe that nobody reads yet holds so much and no more: the rest must not be lost.
    await delay(1_500)
    const out = await text(child.stdout)
    const [code] = await ended
    assert.equal(code, 0)
    assert.equal(out.match(/^p,/gm)?.length, 20_000)
  })
})
