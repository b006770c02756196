import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseConfig } from '../../src/config/load-config.ts'
import { ConfigError } from '../../src/errors.ts'

const model = join(import.meta.dirname, '..', '..', '..', 'policies', 'model.conf')

describe('policy', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'vkitm-config-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const load = (
    policy: string,
    upstream = ', sasl: { mode: service, mechanism: SCRAM-SHA-256, username: a, password: b }',
  ) =>
    parseConfig(
      `clusters:
  - name: main
    upstream: { bootstrap: ["10.0.0.1:9092"]${upstream} }
    listeners:
      - { name: clients, bind: "127.0.0.1:9092", expose: ports, brokerPorts: 9100-9109 }
    policy: ${policy}
`,
      join(folder, 'vkitm.yaml'),
    )
  const problemsOf = async (policy: string): Promise<string[]> => {
    const error = await load(policy).then(
      () => assert.fail('no problem'),
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof ConfigError)
    return error.problems.map(({ path, message }) => `${path}: ${message}`)
  }

  test('a model and rules are read, with their defaults', async () => {
    writeFileSync(join(folder, 'good.csv'), 'p, User:alice, topic, orders, read, allow\n')
    const { clusters, warnings } = await load(`{ model: ${model}, rules: good.csv }`)
    const { policy } = clusters[0]!
    assert.ok(policy !== 'none')
    assert.deepEqual([policy.mode, policy.superUsers, policy.refuse], ['enforce', [], undefined])
    assert.match(policy.rules.content.toString(), /orders/)
    assert.ok(warnings.every(({ message }) => message.startsWith('without upstream.tls')))
  })

  test('B-37: brokers that cannot tell the gateway from anybody else are warned of', async () => {
    writeFileSync(join(folder, 'good.csv'), 'p, User:alice, topic, orders, read, allow\n')
    const warned = async (policy: string, upstream?: string) =>
      (await load(policy, upstream)).warnings.filter(({ message }) => /gets around the policy/.test(message))
    const rules = `{ model: ${model}, rules: good.csv }`
    assert.deepEqual(
      (await warned(rules, '')).map(({ path }) => path),
      ['clusters[0].upstream'],
    )
    assert.equal((await warned(rules, ', tls: {}')).length, 1)
    assert.deepEqual([await warned(rules), await warned('none', '')], [[], []])
  })

  test('every problem of the rules is told with its file and line', async () => {
    writeFileSync(join(folder, 'bad.csv'), 'p, User:alice, topic, orders, raed, allow\np, User:bob, topic, a\n')
    const problems = await problemsOf(`{ model: ${model}, rules: bad.csv }`)
    assert.equal(problems.length, 2, problems.join('\n'))
    assert.ok(problems[0]!.startsWith(`${join(folder, 'bad.csv')}:1: `), problems[0])
    assert.ok(problems[1]!.startsWith(`${join(folder, 'bad.csv')}:2: `), problems[1])
  })

  test('B-34: missing or unreadable rules are no policy', async () => {
    assert.match((await problemsOf(`{ model: ${model}, rules: nowhere.csv }`)).join('\n'), /there is no such file/)
    assert.match((await problemsOf(`{ model: ${model} }`)).join('\n'), /rules: is required/)
    assert.match((await problemsOf('""')).join('\n'), /write model and rules, or policy: none/)
    writeFileSync(join(folder, 'latin.csv'), Buffer.from([0x70, 0x2c, 0xff]))
    assert.match((await problemsOf(`{ model: ${model}, rules: latin.csv }`)).join('\n'), /is not UTF-8/)
  })

  test('audit mode is said out loud, and a super user has the form of a principal', async () => {
    const { warnings } = await load(`{ model: ${model}, rules: good.csv, mode: audit }`)
    assert.ok(warnings.some(({ message }) => /audit/.test(message)))
    const problems = await problemsOf(`{ model: ${model}, rules: good.csv, superUsers: [admin] }`)
    assert.match(problems.join('\n'), /write User:admin/)
  })
})
