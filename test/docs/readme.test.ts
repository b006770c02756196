import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parseConfig } from '../../src/config/load-config.ts'
import { ConfigError } from '../../src/errors.ts'
import { errorName } from '../../src/protocol/error-code.ts'
import { createIssuing, createRoot, issueClient, issueServer } from '../../src/tls/certificate-authority.ts'
import { issueRevocationList } from '../../src/tls/issue-revocation-list.ts'
import { writeKeyStore, writeTrustStore } from '../../src/tls/pkcs12/write-pkcs12.ts'
import { portsAddressBook } from '../../src/topology/address-book.ts'
import { workFolder } from '../config/fixture.ts'
import { usersOf } from '../sasl/scram-peers.ts'
import { finish, run } from '../support/child-process.ts'
import { without } from '../tls/programs.ts'
import { backs, configurationFor, fronts, goTogether, type Row } from './configurations.ts'
import { blocksOf, codesInFirstColumn, filesBelow, root as projectFolder, read, sectionOf } from './documents.ts'

const program = join(projectFolder, 'build', 'src', 'cli', 'main.js')
const readme = read('README.md')
const yamlBlocks = blocksOf(readme, 'yaml')
const env = {
  VKITM_STORE_PASSWORD: 'changeit',
  VKITM_UPSTREAM_PASSWORD: 'long-and-secret',
  VKITM_ADMIN_TOKEN: 'a-token-of-some-length',
}
const machine = { descriptors: 20_000, memoryBytes: 8 * 1024 ** 3 }

/** Every file that a configuration of README names. */
async function writeCertificates(write: (name: string, content: string | Buffer) => void): Promise<void> {
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
  for (const [name, issuer] of Object.entries({ root, issuing })) {
    write(`${name}.crl`, issueRevocationList(issuer, { revoked: [], number: 1, now }))
  }
  write('users.json', (await usersOf({ alice: 'secret' })).toText())
  write('upstream-users.json', JSON.stringify({ 'User:alice': { username: 'alice', password: 'secret' } }))
  const mapped = { 'User:alice': { certificate: 'gateway-client.pem', key: 'gateway-client.key' } }
  write('upstream-certificates.json', JSON.stringify(mapped))
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256', use: 'sig' }
  write('jwks.json', JSON.stringify({ keys: [key] }))
  write('upstream-truststore.p12', writeTrustStore([{ alias: 'ca', certificate: root.certificate }], password))
}

/** What `kafka-acls --list` prints. */
const printedAcls = `Current ACLs for resource \`ResourcePattern(resourceType=TOPIC, name=orders, patternType=LITERAL)\`:
 \t(principal=User:alice, host=*, operation=READ, permissionType=ALLOW)
`

const auditRecord = `${JSON.stringify({
  level: 'audit',
  outcome: 'allowed',
  principal: 'User:alice',
  api: 'Fetch',
  operation: 'read',
  resourceType: 'topic',
  resource: 'orders',
  cluster: 'main',
  client: '127.0.0.1:1',
})}\n`

/** Logins that are passed on hold passwords. */
function isPassedInTheClear(front: Row, back: Row): boolean {
  return (back.keys as { sasl?: { mode: string } }).sasl?.mode === 'passthrough' && !('tls' in front.keys)
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
  before(async () => {
    mkdirSync(join(folder.path, 'certs'))
    cpSync(join(projectFolder, 'policies'), join(folder.path, 'policies'), { recursive: true })
    await writeCertificates((name, content) =>
      writeFileSync(join(folder.path, 'certs', name), content, { mode: 0o600 }),
    )
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

  for (const front of fronts) {
    it(`loads with what any broker asks for, where clients use: ${front.name}`, async () => {
      for (const back of backs.filter(each => goTogether(front, each))) {
        const problems = await problemsOf(configurationFor(front, back), folder.path)
        const warned = [front, back].some(({ isWarnedOf }) => isWarnedOf) || isPassedInTheClear(front, back)
        const where = `${back.name}: ${problems.join('; ')}`
        assert.equal(problems.length > 0, warned, where)
        assert.ok(
          problems.every(problem => /[Ww]ithout (TLS|upstream\.tls)|has no tls/.test(problem)),
          where,
        )
      }
    })
  }

  it('has the rows of both sides in its tables', () => {
    assert.ok(fronts.length >= 7 && backs.length >= 10)
    for (const { name, keys } of [...fronts, ...backs].filter(row => !/^plaintext|^PLAINTEXT/.test(row.name)))
      assert.ok(Object.keys(keys).length > 0, name)
  })

  for (const commands of blocksOf(readme, 'bash')) {
    it(`has commands that work when pasted: ${commands.split('\n')[0]}`, async () => {
      const trial = workFolder()
      try {
        const bin = join(trial.path, 'bin')
        mkdirSync(bin)
        writeFileSync(join(bin, 'vkitm'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`)
        chmodSync(join(bin, 'vkitm'), 0o755)
        cpSync(join(projectFolder, 'policies'), join(trial.path, 'policies'), { recursive: true })
        writeFileSync(join(trial.path, 'acls.txt'), printedAcls)
        writeFileSync(join(trial.path, 'audit.log'), auditRecord)
        if (commands.includes('--config')) {
          cpSync(join(folder.path, 'certs'), join(trial.path, 'certs'), { recursive: true })
          writeFileSync(join(trial.path, 'vkitm.yaml'), blocksOf(sectionOf(readme, '## Policies'), 'yaml')[0]!)
        }
        const shell = { ...process.env, PATH: `${bin}:${process.env.PATH}`, PASSWORD: 'long-and-secret' }
        const { code, stdout, stderr } = await finish('bash', ['-euc', commands], { cwd: trial.path, env: shell })
        assert.equal(code, 0, stdout + stderr)
      } finally {
        trial.remove()
      }
    })
  }

  it('explains the language of policies by rules that can be used, without a warning', async () => {
    const rules = join(folder.path, 'readme.csv')
    writeFileSync(rules, blocksOf(sectionOf(readme, '### The language'), 'csv')[0]!)
    const model = join(folder.path, 'policies', 'model.conf')
    const policy = ['--model', model, '--rules', rules]
    const vkitm = (...args: string[]) => finish(process.execPath, [program, 'policy', ...args])
    const { code, stdout, stderr } = await vkitm('check', '--strict', ...policy)
    assert.equal(code, 0, stdout + stderr)
    for (const [question, exit] of [
      ['User:alice Fetch read topic orders.eu', 0],
      ['User:alice Fetch read topic orders.secret', 1],
      ['User:bob Produce write topic orders.eu', 0],
      ['User:bob CreatePartitions alter topic orders.eu', 0],
      ['User:bob AlterConfigs alterConfigs topic orders.eu', 1],
      ['User:bob DeleteTopics delete topic orders.eu', 1],
    ] as const)
      assert.equal((await vkitm('explain', ...policy, ...question.split(' '))).code, exit, question)
  })

  it('names the errors of denials as Kafka numbers them', () => {
    const rows = Array.from(
      sectionOf(readme, '### What a denial looks like to a client').matchAll(/^\| \w+ \| ([A-Z_]+) \((\d+)\) \|$/gm),
    )
    assert.equal(rows.length, 4)
    for (const [, name, code] of rows) assert.equal(errorName(Number(code)), name)
  })

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

  it('shows the table of the last full run of the benchmark', () => {
    const tableOf = (text: string): string[] => text.split('\n').filter(line => line.startsWith('|'))
    const shown = tableOf(sectionOf(readme, '## Benchmarks'))
    assert.ok(shown.length > 20)
    assert.deepEqual(shown, tableOf(read('bench/last.md')))
  })
})
