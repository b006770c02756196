/** Seeded secrets, looked for in everything the gateway and its commands put out. */
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { startGateway } from '../../src/gateway/gateway.ts'
import { createRoot, issueServer } from '../../src/tls/certificate-authority.ts'
import { writeKeyStore } from '../../src/tls/pkcs12/write-pkcs12.ts'
import { parse, problemsOf, workFolder, yamlWith } from '../config/fixture.ts'
import { freePortRange } from '../support/free-ports.ts'
import { memoryLog } from '../support/memory-log.ts'

const storePassword = 'canary-store-password'
const keyPassword = 'canary-key-password'
const token = 'canary-admin-token'
const secrets = [storePassword, keyPassword, token]

const folder = workFolder()
after(() => folder.remove())

const now = new Date()
const authority = createRoot({ subject: 'CN=canary', now })
const issued = issueServer(authority, { names: ['127.0.0.1'], now })
const locked = createPrivateKey(issued.key).export({
  format: 'pem',
  type: 'pkcs8',
  cipher: 'aes-256-cbc',
  passphrase: keyPassword,
}) as string
folder.write('server.pem', issued.chain.join(''))
folder.write('server.key', locked)
folder.write('store.p12', writeKeyStore({ alias: 'a', key: issued.key, chain: issued.chain }, storePassword))
/** A line of each key: what a message that quotes a file would show. */
const keyLines = [issued.key, locked].flatMap(pem => pem.split('\n').filter(line => line.length > 40))

const env = { STORE: storePassword, KEY: keyPassword, TOKEN: token }
const withTls = (tls: string, first = 9_100, more = '') =>
  yamlWith({ listener: `tls: ${tls}`, root: `admin: {bind: "127.0.0.1:0", token: "\${env:TOKEN}"}${more}` })
    .replace('127.0.0.1:9092', `127.0.0.1:${first}`)
    .replace('9100-9199', `${first + 1}-${first + 2}`)
    .replace('10.0.0.1:9092', '127.0.0.1:1')

function assertClean(what: string, text: string): void {
  for (const secret of [...secrets, ...keyLines]) assert.equal(text.includes(secret), false, `${what} shows a secret`)
}

describe('C-15: secrets', () => {
  const good = {
    pem: '{certificate: server.pem, key: server.key, keyPassword: "${env:KEY}"}',
    pkcs12: '{certificate: {pkcs12: store.p12, password: "${env:STORE}"}}',
  }

  for (const [kind, tls] of Object.entries(good)) {
    test(`C-15: are in no log line, page, metric, error or print of a running gateway (${kind})`, async t => {
      const first = await freePortRange(3)
      const config = await parse(withTls(tls, first), { env, folder: folder.path })
      const log = memoryLog()
      const gateway = await startGateway(config, { log: log.log, audit: log.destination })
      t.after(() => gateway.stop())
      // Damage what is reloaded, too: errors quote what they are about.
      const file = kind === 'pem' ? 'server.key' : 'store.p12'
      const content =
        kind === 'pem' ? locked : writeKeyStore({ alias: 'a', key: issued.key, chain: issued.chain }, storePassword)
      folder.write(file, Buffer.from(content).subarray(0, 200))
      await assert.rejects(gateway.reload(), (error: Error) => {
        assertClean('a failed reload', `${error.message}${error.stack}${inspect(error, { depth: 10 })}`)
        return true
      })
      folder.write(file, content)
      const pages = await Promise.all(
        ['/healthz', '/readyz', '/metrics', '/config', '/reload', '/nowhere'].map(async path => {
          const answer = await fetch(`http://${gateway.admin}${path}`, {
            headers: { authorization: `Bearer ${token}x` },
          })
          return `${inspect(answer.headers)}${await answer.text()}`
        }),
      )
      const refused = await fetch(`http://${gateway.admin}/reload`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}x` },
      })
      assert.equal(refused.status, 401)
      assertClean('a page', pages.join('\n') + (await refused.text()))
      log.log.error({ details: { config: inspect(config, { depth: 20 }), json: JSON.stringify(config) } }, 'all of it')
      assertClean('the log', log.texts.join('\n'))
      assert.ok(log.texts.length > 1)
    })
  }

  test('C-15: are in no problem that a configuration has', async () => {
    mkdirSync(join(folder.path, 'folder'), { recursive: true })
    for (const [tls, wrong] of [
      [good.pem, { ...env, KEY: `${keyPassword}x` }],
      [good.pkcs12, { ...env, STORE: `${storePassword}x` }],
      ['{certificate: server.pem, key: "${env:KEY}"}', env],
      ['{certificate: "${env:STORE}", key: server.key}', env],
      ['{certificate: server.pem, key: server.key, clientAuth: "${env:KEY}"}', env],
    ] as const) {
      const problems = await problemsOf(withTls(tls), { env: wrong, folder: folder.path })
      assert.ok(problems.length > 0)
      assertClean(`the problems of ${tls}`, problems.join('\n'))
    }
  })

  test('C-15: reports and heap dumps are off unless somebody asks Node for them', () => {
    assert.equal(process.report?.reportOnFatalError, false)
    assert.equal(process.report?.reportOnUncaughtException, false)
  })
})
