/** What librdkafka and Java print where the gateway does not let them in: README's tables, each cell looked for in what they printed. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { loadConfig } from '../../src/config/load-config.ts'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts'
import { read, sectionOf } from '../docs/documents.ts'
import { finish, run } from '../support/child-process.ts'
import { freePortRange } from '../support/free-ports.ts'
import { hasMaven, javaMissing } from '../support/java.ts'
import { tryTool } from '../support/kafka-tools.ts'
import { memoryLog } from '../support/memory-log.ts'
import { without } from '../tls/programs.ts'

const program = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.js')
const model = join(import.meta.dirname, '..', '..', '..', 'policies', 'model.conf')
const skip = javaMissing() ?? (hasMaven() ? without('kcat') : 'no mvn on the path')
const clientMs = 8_000

/** A client's properties, by situation; what is done with them is to list topics, or to write to one. */
interface Situation {
  readonly port: 'certificates' | 'passwords'
  readonly host?: string
  readonly ca?: string
  readonly certificate?: string
  readonly password?: string
  readonly writes?: boolean
}

const situations: Readonly<Record<string, Situation>> = {
  'the client shows no certificate': { port: 'certificates' },
  'its certificate is from an authority that is not in `clientCa`': {
    port: 'certificates',
    certificate: 'foreign/alice',
  },
  'its certificate is revoked': { port: 'certificates', certificate: 'own/rachel' },
  'it does not trust the gateway': { port: 'certificates', certificate: 'own/alice', ca: 'foreign/ca.pem' },
  "it connects by a name that is not in the gateway's certificate": {
    port: 'certificates',
    certificate: 'own/alice',
    host: '127.0.0.1',
  },
  'wrong password, or no such user': { port: 'passwords', password: 'wrong' },
  'a topic that the policy denies': { port: 'certificates', certificate: 'own/alice', writes: true },
}

describe('what clients print', { skip, timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'vkitm-messages-'))
  const path = (...names: string[]) => join(folder, ...names)
  const ports = { certificates: 0, passwords: 0 }
  const log = memoryLog()
  let cluster: EmbeddedCluster
  let gateway: Gateway

  before(async () => {
    const vkitm = (args: readonly string[], input = '') => run(process.execPath, [program, ...args], { input })
    for (const authority of ['own', 'foreign']) {
      await vkitm(['certs', 'init', '--dir', path(authority)])
      await vkitm(['certs', 'issue', 'alice', '--client', '--dir', path(authority)])
    }
    await vkitm(['certs', 'issue', 'gateway', '--san', 'localhost', '--dir', path('own')])
    await vkitm(['certs', 'issue', 'rachel', '--client', '--dir', path('own')])
    await vkitm(['certs', 'revoke', 'rachel', '--dir', path('own')])
    await vkitm(['users', 'add', 'alice', '--file', path('users.json')], 'right-password\n')
    writeFileSync(path('policy.csv'), 'p, *, topic, allowed, *, allow\n')
    cluster = await startEmbeddedCluster({ nodes: 1 })
    ports.certificates = await freePortRange(4)
    ports.passwords = ports.certificates + 2
    writeFileSync(path('vkitm.yaml'), configText())
    gateway = await startGateway(await loadConfig(path('vkitm.yaml')), { log: log.log, audit: log.destination })
  })
  after(async () => {
    await gateway?.stop()
    await cluster?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  function configText(): string {
    const listener = (name: keyof typeof ports, more: string): string => `
      - name: ${name}
        bind: 127.0.0.1:${ports[name]}
        advertise: localhost:${ports[name]}
        expose: ports
        brokerPorts: { first: ${ports[name] + 1}, count: 1, firstId: 1 }
        tls:
          certificate: own/gateway.pem
          key: own/gateway.key${more}`
    return `clusters:
  - name: main
    upstream:
      bootstrap: [${cluster.bootstrap.join(', ')}]
    listeners:${listener(
      'certificates',
      '\n          clientCa: own/ca.pem\n          clientAuth: require\n          crl: [own/root.crl, own/issuing.crl]',
    )}${listener('passwords', '\n        sasl: { mechanisms: [SCRAM-SHA-512], users: users.json }')}
    policy:
      model: ${model}
      rules: policy.csv
admin: none
`
  }

  const target = ({ port, host = 'localhost' }: Situation): string => `${host}:${ports[port]}`

  async function kcat(situation: Situation): Promise<string> {
    const { port, certificate, ca = 'own/ca.pem', password, writes } = situation
    const properties = {
      'security.protocol': port === 'passwords' ? 'sasl_ssl' : 'ssl',
      'ssl.ca.location': path(ca),
      ...(certificate && {
        'ssl.certificate.location': path(`${certificate}.pem`),
        'ssl.key.location': path(`${certificate}.key`),
      }),
      ...(password && { 'sasl.mechanism': 'SCRAM-SHA-512', 'sasl.username': 'alice', 'sasl.password': password }),
    }
    const options = Object.entries(properties).flatMap(([name, value]) => ['-X', `${name}=${value}`])
    const task = writes ? ['-P', '-t', 'forbidden'] : ['-L', '-m', '3']
    const { stdout, stderr } = await finish('kcat', ['-b', target(situation), ...options, ...task], {
      input: 'x\n',
      timeoutMs: 30_000,
    })
    return stdout + stderr
  }

  async function java(situation: Situation): Promise<string> {
    const { port, certificate, ca = 'own/ca.pem', password, writes } = situation
    const both = path('java.pem')
    if (certificate) {
      writeFileSync(
        both,
        readFileSync(path(`${certificate}.key`), 'utf8') + readFileSync(path(`${certificate}.pem`), 'utf8'),
      )
      chmodSync(both, 0o600)
    }
    const login = 'org.apache.kafka.common.security.scram.ScramLoginModule'
    const properties = {
      'security.protocol': port === 'passwords' ? 'SASL_SSL' : 'SSL',
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': path(ca),
      ...(certificate && { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': both }),
      ...(password && {
        'sasl.mechanism': 'SCRAM-SHA-512',
        'sasl.jaas.config': `${login} required username="alice" password="${password}";`,
      }),
      'request.timeout.ms': String(clientMs / 2),
      'default.api.timeout.ms': String(clientMs),
    }
    const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}`)
    writeFileSync(path('java.properties'), lines.join('\n'))
    const task = ['--bootstrap-server', target(situation), '--command-config', path('java.properties')]
    const { stdout, stderr } = await tryTool(
      'TopicCommand',
      [...task, ...(writes ? ['--create', '--topic', 'forbidden'] : ['--list'])],
      {
        timeoutMs: 60_000,
      },
    )
    return stdout + stderr
  }

  const rows = new Map(
    Array.from(
      // The table below the next heading is another test's.
      sectionOf(read('README.md'), '## When a client does not get in')
        .split('\n### ')[0]!
        .matchAll(/^\| (.+?) \| (`.+`) \| (`.+`) \|$/gm),
      ([, situation = '', ...cells]) => [situation, cells.map(textsIn)] as const,
    ),
  )

  it('README names these situations and no other', () => {
    assert.deepEqual([...rows.keys()], Object.keys(situations))
  })

  for (const [name, situation] of Object.entries(situations)) {
    const [ofKcat = [], ofJava = []] = rows.get(name) ?? []
    it(`kcat: ${name}`, async () => {
      assertNames(await kcat(situation), ofKcat)
    })
    it(`Java: ${name}`, async () => {
      assertNames(await java(situation), ofJava)
    })
  }
})

function textsIn(cell: string): string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, text = '']) => text)
}

function assertNames(printed: string, texts: readonly string[]): void {
  assert.ok(texts.length > 0)
  for (const text of texts) assert.ok(printed.includes(text), `"${text}" is not in:\n${printed}`)
}
