/** Other people's scanners on our listeners, with a P-256 and with an RSA certificate. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { cachedFolder, cacheKey } from '../support/cache-folder.ts'
import { finish, run } from '../support/child-process.ts'
import { Live, newServer, root } from '../threats/live-certificates.ts'

const sslyze = 'sslyze==6.3.1'

function without(program: string, ...args: string[]): string | false {
  if (process.env.CI === 'true') return false
  return spawnSync(program, args).status === 0 ? false : `no ${program} on this machine`
}

/** Severities of testssl.sh that are no reproach. */
const fine = new Set(['OK', 'INFO', 'LOW', 'DEBUG'])

/** What a certificate of a private CA cannot have, in sslyze's words. */
const privateCa = /^certificate_path_validation: /

interface Finding {
  readonly id: string
  readonly severity: string
  readonly finding: string
}

for (const keyType of ['P-256', 'RSA-2048'] as const) {
  describe(`a listener with a certificate of ${keyType}`, { timeout: 900_000 }, () => {
    const live = new Live()
    before(async () => {
      live.serve(newServer({ keyType, days: 90 }))
      live.write('root.pem', root.certificate)
      await live.start()
    })
    after(() => live.stop())

    it('C-13: testssl.sh finds nothing at MEDIUM or above in protocols, ciphers, forward secrecy and vulnerabilities', {
      skip: without('testssl', '--version'),
    }, async () => {
      const report = join(live.folder, 'testssl.json')
      const args = ['--quiet', '--color', '0', '--warnings', 'off', '--nodns', 'none', '--ip', '127.0.0.1']
      const sections = ['-p', '-s', '-f', '-U']
      const target = `localhost:${live.gateway.port}`
      const { stdout } = await finish('testssl', [...args, '--jsonfile', report, ...sections, target], {
        timeoutMs: 600_000,
      })
      const findings = JSON.parse(readFileSync(report, 'utf8')) as Finding[]
      const ids = new Set(findings.map(({ id }) => id))
      for (const looked of [
        'TLS1',
        'TLS1_1',
        'SSLv2',
        'heartbleed',
        'ROBOT',
        'fallback_SCSV',
        'secure_client_renego',
      ]) {
        assert.ok(ids.has(looked), `testssl.sh did not look at ${looked}:\n${stdout}`)
      }
      assert.deepEqual(
        findings.filter(({ severity }) => !fine.has(severity)),
        [],
      )
    })

    it("C-13: sslyze finds it as Mozilla's intermediate profile wants it", {
      skip: without('python3', '-m', 'pip', '--version'),
    }, async () => {
      const packages = await cachedFolder(cacheKey('sslyze', sslyze), async draft => {
        const quiet = ['--quiet', '--disable-pip-version-check', '--no-input', '--root-user-action=ignore']
        await run('python3', ['-m', 'pip', 'install', ...quiet, '--target', draft, sslyze], { timeoutMs: 300_000 })
      })
      const { stdout } = await finish('python3', ['-m', 'sslyze', `localhost:${live.gateway.port}`], {
        env: { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
        timeoutMs: 300_000,
      })
      const [scanned = '', verdict = ''] = stdout.split('COMPLIANCE AGAINST TLS CONFIGURATION')
      assert.match(scanned, /OK - Not vulnerable to Heartbleed/)
      assert.match(verdict, /Mozilla's "intermediate" configuration/)
      const reproaches = Array.from(verdict.matchAll(/^\s+\* (.+)$/gm), ([, text = '']) => text)
      assert.ok(reproaches.length > 0, 'the scan did not look at the certificate')
      assert.deepEqual(
        reproaches.filter(text => !privateCa.test(text)),
        [],
      )
    })
  })
}
