import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse, problemsOf, yamlWith } from './fixture.ts'

const at = (line: number, column: number) => `/etc/vkitm/vkitm.yaml:${line}:${column}`

test('a syntax error is told with its line and column', async () => {
  const [problem, ...more] = await problemsOf(
    'clusters:\n  - name: main\n    upstream: {bootstrap: [a:1\n    policy: none\n',
  )
  assert.ok(problem?.startsWith(`${at(4, 5)}: `), problem)
  assert.ok(more.every(other => other.startsWith('/etc/vkitm/vkitm.yaml:')))
})

test('a key that stands twice is refused where it stands the second time', async () => {
  assert.deepEqual(await problemsOf('log: {level: info}\nclusters: []\nlog: {level: warn}\n'), [
    `${at(3, 1)}: this key is here twice in one mapping: remove one`,
  ])
})

test('JSON with a key that stands twice is refused too', async () => {
  assert.deepEqual(await problemsOf('{"log": {"level": "info", "level": "warn"}}'), [
    `${at(1, 27)}: this key is here twice in one mapping: remove one`,
  ])
})

test('an IPv6 address without quotes, a list to YAML, is recognised', async () => {
  const problems = await problemsOf('admin:\n  bind: [::1]:9644\n')
  assert.match(problems.join('\n'), /vkitm\.yaml:2:\d+: .*an IPv6 address with brackets needs quotes/)
})

test('two documents in a file, an unknown tag and an alias of nothing are errors', async () => {
  assert.match((await problemsOf('a: 1\n---\nb: 2\n')).join(), /vkitm\.yaml:2:1/)
  assert.match((await problemsOf('log: !secret {level: info}\n')).join(), /vkitm\.yaml:1:6: .*!secret/)
  assert.match((await problemsOf('log: *nowhere\n')).join(), /nowhere/)
})

test('aliases that multiply are refused instead of expanded', async () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x,x]',
    ...'bcdefgh'.split('').map((name, index) => {
      const before = 'abcdefg'[index]
      return `${name}: &${name} [${Array(10).fill(`*${before}`).join(',')}]`
    }),
  ].join('\n')
  assert.match((await problemsOf(bomb)).join(), /alias/i)
})

test('a file that is not there is one problem with its full path', async () => {
  const { loadConfig } = await import('../../src/config/load-config.ts')
  await assert.rejects(loadConfig('/nowhere/vkitm.yaml'), {
    code: 'VKITM_CONFIG',
    message: /cannot read \/nowhere\/vkitm\.yaml: there is no such file/,
  })
})

test('a merge key does not let a duplicate through', async () => {
  const config = await parse(yamlWith({ root: 'log: {<<: {level: warn}}' }))
  assert.equal(config.log.level, 'warn')
})
