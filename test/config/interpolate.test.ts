import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { inspect } from 'node:util'
import { parse, problemsOf, workFolder, yamlWith } from './fixture.ts'

const folder = workFolder()
after(folder.remove)

const admin = (token: string) => yamlWith({ root: `admin: {token: '${token}'}` })
const tokenOf = async (token: string, env: Record<string, string> = {}) =>
  (await parse(admin(token), { env, folder: folder.path })).admin?.token?.reveal()

test('environment and files are put in, within a text too', async () => {
  folder.write('token', 'from the file\n')
  folder.write('two-lines', 'one\r\n\r\n')
  assert.equal(await tokenOf('${env:TOKEN}', { TOKEN: 'canary' }), 'canary')
  assert.equal(await tokenOf('a-${env:X}-${env:Y}-z', { X: '1', Y: '2' }), 'a-1-2-z')
  assert.equal(await tokenOf('${file:token}'), 'from the file')
  assert.equal(await tokenOf('${file:two-lines}'), 'one\r\n', 'only the last line end belongs to the file')
})

test('what was put in is not searched for references again', async () => {
  assert.equal(await tokenOf('${env:TOKEN}', { TOKEN: '${env:OTHER}', OTHER: 'x' }), '${env:OTHER}')
})

test('a doubled dollar is a plain one', async () => {
  assert.equal(await tokenOf('$${env:TOKEN}'), '${env:TOKEN}')
  assert.equal(await tokenOf('$1 and $'), '$1 and $')
})

test('a number may come from the environment', async () => {
  const { limits } = await parse(
    yamlWith({ root: 'limits: {connections: "${env:MAX}", idleTimeout: "${env:IDLE}"}' }),
    {
      env: { MAX: '42', IDLE: '3s' },
    },
  )
  assert.deepEqual([limits.connections, limits.idleTimeout], [42, 3000])
})

test('a reference without a value is one problem at its place', async () => {
  const text = yamlWith({
    root: 'admin: {token: "${env:MISSING}", bind: "${env:EMPTY}"}\nlog: {level: "${file:nowhere}"}\nlimits: {inFlight: "${vault:x}", connections: "${env:"}',
  })
  assert.deepEqual((await problemsOf(text, { env: { EMPTY: '' }, folder: folder.path })).sort(), [
    'admin.bind: the environment variable EMPTY is empty',
    'admin.token: the environment variable MISSING is not set',
    'limits.connections: "${env:}" is not a reference: write ${env:NAME} or ${file:PATH}, or $${ for a plain ${',
    'limits.inFlight: "${vault:x}" is not a reference: write ${env:NAME} or ${file:PATH}, or $${ for a plain ${',
    `log.level: cannot read ${folder.path}/nowhere: there is no such file; relative paths start at ${folder.path}`,
  ])
})

test('no secret is shown: not in a problem where it was put in the wrong place, not in the printed configuration', async () => {
  const env = { TOKEN: 'canary-6151', KEY: '-----BEGIN PRIVATE KEY-----\ncanary\n' }
  const misplaced = yamlWith({
    root: 'admin: {bind: "${env:TOKEN}", token: 7}\nlog: {level: "${env:TOKEN}"}\nlimits: {inFlight: "${env:TOKEN}"}',
    upstream: 'allow: ["${env:TOKEN}/8"]\ntls: {ca: "${env:TOKEN}", certificate: "${env:KEY}", key: "${env:KEY}"}',
    listener: 'advertiseBrokerPorts: "${env:TOKEN}"\nprincipal: {rules: ["${env:TOKEN}"]}',
  })
  const problems = (await problemsOf(misplaced, { env })).join('\n')
  assert.doesNotMatch(problems, /canary/)
  assert.match(problems, /admin\.bind: "\$\{env:TOKEN\}" is not an address/)
  assert.match(problems, /upstream\.tls\.key: is the content of a file, not its path: write the path alone/)
  assert.match(problems, /admin\.token: is a number to YAML: put it in quotes/)
  const config = await parse(admin('${env:TOKEN}'), { env })
  for (const printed of [
    JSON.stringify(config),
    inspect(config, { depth: 9, showHidden: true }),
    `${config.admin?.token}`,
  ]) {
    assert.doesNotMatch(printed, /canary/)
    assert.match(printed, /\[redacted\]/)
  }
})
