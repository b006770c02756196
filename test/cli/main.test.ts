import assert from 'node:assert/strict'
import { type ChildProcess, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { end, start as startProgram } from '../support/child-process.ts'
import { freePortRange } from '../support/free-ports.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const program = join(root, 'dist', 'cli', 'main.js')
const folder = mkdtempSync(join(tmpdir(), 'vkitm-cli-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function vkitm(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', cwd: folder, timeout: 30_000 })
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return name
}

const yaml = (first: number) => `clusters:
  - name: main
    upstream: {bootstrap: [127.0.0.1:1]}
    listeners:
      - {name: clients, bind: "127.0.0.1:0", expose: ports, brokerPorts: ${first}-${first + 1}}
    policy: none
admin: {bind: 127.0.0.1:0}
`

test('help and version go to standard output and are fine', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  assert.deepEqual({ ...pick(vkitm('--version')) }, { status: 0, stdout: `${version}\n`, stderr: '' })
  const help = vkitm('--help')
  assert.equal(help.status, 0)
  assert.match(help.stdout, /start --config FILE/)
  assert.match(help.stdout, /config check FILE/)
  assert.match(vkitm('config', 'check', '--help').stdout, /^usage: vkitm config check FILE \[--json\]/)
})

function pick({ status, stdout, stderr }: { status: number | null; stdout: string; stderr: string }) {
  return { status, stdout, stderr }
}

for (const args of [
  [],
  ['strat'],
  ['config'],
  ['config', 'chek'],
  ['start'],
  ['start', '--port', '1'],
  ['config', 'check'],
  ['config', 'check', 'a', 'b'],
]) {
  test(`misuse ends with 2 and a line on standard error: vkitm ${args.join(' ')}`, () => {
    const { status, stdout, stderr } = vkitm(...args)
    assert.equal(status, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^vkitm: .+\nvkitm --help tells more\n$/)
    assert.doesNotMatch(stderr, /\n\s+at /)
  })
}

test('config check is fine with a good file and tells what is worth knowing', () => {
  const { status, stdout } = vkitm('config', 'check', file('good.yaml', yaml(20_000)))
  assert.equal(status, 0)
  assert.equal(
    stdout,
    "good.yaml is fine: 1 cluster, 1 listener\n  clusters[0].policy: warning: is none: only the brokers' own ACLs apply\n",
  )
})

test('config check tells every problem at once and ends with 1', () => {
  const { status, stdout } = vkitm(
    'config',
    'check',
    file('bad.yaml', yaml(20_000).replace('policy: none', 'polic: none').replace('127.0.0.1:1]', '127.0.0.1]')),
  )
  assert.equal(status, 1)
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    'bad.yaml: 3 problems',
    '  clusters[0].polic: unknown key; did you mean policy?',
    "  clusters[0].policy: is required: write policy with model and rules, or policy: none to let only the brokers' own ACLs decide",
    '  clusters[0].upstream.bootstrap[0]: "127.0.0.1" is not an address: write 127.0.0.1:9092, with a port',
  ])
})

test('config check --json is for scripts', () => {
  const good = vkitm('config', 'check', '--json', file('good.yaml', yaml(20_000)))
  assert.deepEqual([good.status, JSON.parse(good.stdout).ok, JSON.parse(good.stdout).warnings.length], [0, true, 1])
  const bad = vkitm('config', 'check', file('empty.yaml', ''), '--json')
  assert.equal(bad.status, 1)
  assert.deepEqual(JSON.parse(bad.stdout), {
    file: 'empty.yaml',
    ok: false,
    problems: [{ path: 'empty.yaml', message: 'is empty: write clusters with an upstream, listeners and a policy' }],
    warnings: [],
  })
})

test('start with a wrong file names every problem and ends with 1 without serving', () => {
  const { status, stdout, stderr } = vkitm('start', '--config', file('bad.yaml', 'clusters: []\nlog: {level: loud}\n'))
  assert.equal(status, 1)
  assert.equal(stdout, '')
  assert.deepEqual(stderr.trimEnd().split('\n'), [
    'vkitm: clusters: is an empty list: write at least one entry',
    'vkitm: log.level: "loud" is not known: write trace, debug, info, warn, error, fatal',
  ])
})

test('start logs one ready line with every bound address, serves health, and SIGTERM ends it with 0', {
  timeout: 60_000,
}, async () => {
  const first = await freePortRange(2)
  const child = startGatewayProgram(file('run.yaml', `${yaml(first)}audit: {file: audit.log}\n`))
  try {
    const { details } = await child.lineWith('vkitm is ready')
    assert.match(details.addresses[0].bootstrap, /^127\.0\.0\.1:\d+$/)
    assert.equal(details.addresses[0].brokerPorts, `${first}-${first + 1}`)
    const health = await fetch(`http://${details.admin}/healthz`)
    assert.equal(health.status, 200)
    const metrics = await (await fetch(`http://${details.admin}/metrics`)).text()
    assert.match(metrics, /^vkitm_upstream_connections \d+$/m)
    renameSync(join(folder, 'audit.log'), join(folder, 'audit.log.1'))
    child.process.kill('SIGHUP')
    await child.lineWith('reloaded')
    assert.ok(existsSync(join(folder, 'audit.log')))
    child.process.kill('SIGTERM')
    assert.equal(await child.ended, 0)
    assert.ok(child.lines.some(line => line.includes('"stopped"')))
  } finally {
    await end(child.process)
  }
})

test('start ends with 1 and says why where a port is taken', { timeout: 60_000 }, async () => {
  const first = await freePortRange(2)
  const child = startGatewayProgram(file('run.yaml', yaml(first)))
  try {
    await child.lineWith('vkitm is ready')
    const second = vkitm('start', '--config', 'run.yaml')
    assert.equal(second.status, 1)
    assert.match(second.stdout, /EADDRINUSE/)
    assert.match(second.stdout, /vkitm did not start/)
  } finally {
    await end(child.process)
  }
})

interface RunningProgram {
  readonly process: ChildProcess
  readonly lines: readonly string[]
  readonly ended: Promise<number | null>
  // biome-ignore lint/suspicious/noExplicitAny: a parsed log line
  lineWith(message: string): Promise<any>
}

function startGatewayProgram(config: string): RunningProgram {
  const process_ = startProgram(process.execPath, [program, 'start', '--config', config], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const waiting: (() => void)[] = []
  const wake = () => waiting.splice(0).forEach(resume => void resume())
  createInterface({ input: process_.stdout! }).on('line', line => {
    lines.push(line)
    wake()
  })
  process_.once('exit', wake)
  return {
    process: process_,
    lines,
    ended: new Promise(resolve => process_.once('close', resolve)),
    async lineWith(message) {
      for (;;) {
        const found = lines.find(line => line.includes(message))
        if (found !== undefined) return JSON.parse(found)
        if (process_.exitCode !== null) throw new Error(`ended without "${message}":\n${lines.join('\n')}`)
        await new Promise<void>(resolve => waiting.push(resolve))
      }
    },
  }
}
