import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parseConfig } from '../../src/config/load-config.ts'
import { ConfigError } from '../../src/errors.ts'
import { createIssuing, createRoot, issueClient, issueServer } from '../../src/tls/certificate-authority.ts'
import { writeKeyStore, writeTrustStore } from '../../src/tls/pkcs12/write-pkcs12.ts'
import { portsAddressBook } from '../../src/topology/address-book.ts'
import { workFolder } from '../config/fixture.ts'
import { run } from '../support/child-process.ts'
import { without } from '../tls/programs.ts'
import { blocksOf, codesInFirstColumn, filesBelow, read, sectionOf } from './documents.ts'

const readme = read('README.md')
const yamlBlocks = blocksOf(readme, 'yaml')
const env = { VKITM_STORE_PASSWORD: 'changeit', VKITM_ADMIN_TOKEN: 'a-token-of-some-length' }
const machine = { descriptors: 20_000, memoryBytes: 8 * 1024 ** 3 }

/** Every file that a configuration of README names. */
function writeCertificates(write: (name: string, content: string | Buffer) => void): void {
  const now = new Date()
  const root = createRoot({ subject: 'CN=readme root', now })
  const issuing = createIssuing(root, { subject: 'CN=readme issuing', now })
  const server = issueServer(issuing, { names: ['kafka.example.com'], now })
  const client = issueClient(issuing, { subject: 'CN=gateway', now })
  const password = env.VKITM_STORE_PASSWORD
  write('gateway.pem', server.chain.join(''))
  write('gateway.key', server.key)
  write('gateway.p12', writeKeyStore({ alias: 'gateway', key: server.key, chain: server.chain }, password))
  write('gateway-client.pem', client.chain.join(''))
  write('gateway-client.key', client.key)
  write('clients-ca.pem', root.certificate)
  write('upstream-ca.pem', root.certificate)
  write('upstream-truststore.p12', writeTrustStore([{ alias: 'ca', certificate: root.certificate }], password))
}

async function problemsOf(text: string, folder: string): Promise<string[]> {
  try {
    const { warnings } = await parseConfig(text, join(folder, 'vkitm.yaml'), { env, machine })
    // `policy: none` is said out loud; nothing else in README should have to be.
    return warnings.filter(({ path }) => !path.endsWith('.policy')).map(({ path, message }) => `${path}: ${message}`)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`)
    throw error
  }
}

describe('README', () => {
  const folder = workFolder()
  before(() => {
    mkdirSync(join(folder.path, 'certs'))
    writeCertificates((name, content) => writeFileSync(join(folder.path, 'certs', name), content, { mode: 0o600 }))
  })
  after(() => folder.remove())

  it('shows its configurations whole, marked as the file they are', () => {
    assert.ok(yamlBlocks.length >= 8, `found ${yamlBlocks.length}`)
    for (const block of yamlBlocks) assert.match(block, /^# vkitm\.yaml/)
  })

  for (const [index, block] of yamlBlocks.entries()) {
    const heading = readme
      .slice(0, readme.indexOf(block))
      .match(/(?<=^#+ ).+$/gm)
      ?.at(-1)
    it(`configuration ${index + 1} works when pasted: ${heading}`, async () => {
      assert.deepEqual(await problemsOf(block, folder.path), [])
    })
  }

  it('is tested by a loader that does not take everything', async () => {
    const [block = ''] = yamlBlocks
    const problems = await problemsOf(block.replace('expose: ports', 'expose: nothing'), folder.path)
    assert.equal(problems.length, 1)
  })

  it('makes certificates that the first configuration takes', { skip: without('openssl') }, async () => {
    const [commands = ''] = blocksOf(readme, 'sh').filter(block => block.includes('openssl req'))
    const trial = workFolder()
    try {
      await run('bash', ['-euc', commands], { cwd: trial.path })
      assert.deepEqual(await problemsOf(yamlBlocks[0]!, trial.path), [])
    } finally {
      trial.remove()
    }
  })

  it('tells of ports what the gateway tells', () => {
    const rows = Array.from(readme.matchAll(/^\| (\d+) \| broker (\d+) \| `([^`]+)` \|$/gm))
    assert.ok(rows.length >= 3)
    const book = portsAddressBook('kafka.example.com', { first: 9100, count: 100, firstId: 0 })
    for (const [, bound, id, told] of rows) {
      const { host, port } = book.addressOf(Number(id))!
      assert.equal(port, Number(bound))
      assert.equal(`${host}:${port}`, told)
    }
  })

  const sources = filesBelow('src', '.ts')
    .filter(path => !path.startsWith('protocol/generated/') && !path.startsWith('cli/demo/'))
    .map(path => read(`src/${path}`))
    .join('\n')

  it('names every metric and no other', () => {
    const counted = new Set(Array.from(sources.matchAll(/'(vkitm_[a-z_]+)'/g), ([, name]) => name))
    assert.ok(counted.size > 5)
    const named = codesInFirstColumn(sectionOf(readme, '### Metrics')).map(name => name.replace(/\{.*/, ''))
    assert.deepEqual(named.sort(), [...counted].sort())
  })

  it('names every error code and no other', () => {
    const thrown = new Set(Array.from(sources.matchAll(/'(VKITM_[A-Z_]+)'/g), ([, code]) => code))
    assert.ok(thrown.size > 5)
    const named = codesInFirstColumn(sectionOf(readme, '### Error codes'))
    assert.deepEqual(named.sort(), [...thrown].sort())
  })
})
