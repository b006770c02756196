import assert from 'node:assert/strict'
import { type ChildProcess, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isTuned } from '../../src/cli/tuned-process.ts'
import { end, start } from '../support/child-process.ts'
import { freePortRange, freePorts } from '../support/free-ports.ts'
import { until, within } from '../support/until.ts'

const program = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'vkitm-tuned-'))
after(() => rmSync(folder, { recursive: true, force: true }))

interface Running {
  readonly parent: ChildProcess
  readonly port: number
  /** Of the log, so far. */
  readonly lines: readonly string[]
}

async function startGateway(flags: readonly string[] = []): Promise<Running> {
  const [port = 0] = await freePorts(1)
  const first = await freePortRange(2)
  const file = join(folder, `${port}.yaml`)
  const listener = { name: 'clients', bind: `127.0.0.1:${port}`, expose: 'ports', brokerPorts: `${first}-${first + 1}` }
  const cluster = { name: 'main', upstream: { bootstrap: ['127.0.0.1:1'] }, listeners: [listener], policy: 'none' }
  writeFileSync(file, JSON.stringify({ clusters: [cluster], admin: 'none' }))
  const parent = start(process.execPath, [...flags, program, 'start', '--config', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  createInterface(parent.stdout!).on('line', line => lines.push(line))
  await until('the ready line', () => lines.some(line => line.includes('vkitm is ready')))
  return { parent, port, lines }
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

async function untilRefused(port: number): Promise<void> {
  while (await accepts(port)) await new Promise(resolve => setTimeout(resolve, 20))
}

const childPids = ({ pid }: ChildProcess): number[] =>
  spawnSync('ps', ['--ppid', String(pid), '-o', 'pid='], { encoding: 'utf8' })
    .stdout.trim()
    .split(/\s+/)
    .map(Number)

const children = ({ pid }: ChildProcess): string[] =>
  spawnSync('ps', ['--ppid', String(pid), '-o', 'args='], { encoding: 'utf8' })
    .stdout.trim()
    .split('\n')
    .filter(Boolean)

describe('the process that start runs the gateway in', () => {
  test('has generations that were chosen and objects that begin in the young one, and gets the signals', {
    skip: noPs(),
  }, async () => {
    const { parent, port } = await startGateway()
    assert.equal(children(parent).length, 1)
    assert.match(children(parent)[0]!, /--min-semi-space-size=\d+/)
    assert.match(children(parent)[0]!, /--no-allocation-site-pretenuring/)
    assert.match(children(parent)[0]!, /--initial-old-space-size=\d+/)
    const exit = once(parent, 'exit')
    parent.kill('SIGTERM')
    assert.deepEqual(await within('the end', exit), [0, null])
    assert.equal(await accepts(port), false)
  })

  test('drains where it is signalled beside its parent, as systemd and terminals do', {
    skip: noPs(),
  }, async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const { parent, lines } = await startGateway()
      const end = once(parent, 'close')
      for (const pid of [...childPids(parent), parent.pid!]) process.kill(pid, signal)
      assert.deepEqual(await within('the end', end), [0, null])
      assert.deepEqual(
        [
          lines.filter(line => line.includes('draining')).length,
          lines.filter(line => line.includes('stopping at once')),
        ],
        [1, []],
      )
    }
  })

  test('is in the session of its parent: Linux gives each session its own share of the processors', {
    skip: noPs(),
  }, async () => {
    const { parent } = await startGateway()
    const sessionOf = (pid: number): string =>
      spawnSync('ps', ['-p', String(pid), '-o', 'sid='], { encoding: 'utf8' }).stdout.trim()
    assert.deepEqual(childPids(parent).map(sessionOf), [sessionOf(parent.pid!)])
    await end(parent, 'SIGTERM')
  })

  test('does not outlive the one that people know of, not even where that is killed', async () => {
    const { parent, port } = await startGateway()
    assert.equal(await accepts(port), true)
    await end(parent, 'SIGKILL')
    await within('nobody on the port', untilRefused(port))
  })

  test('is the first one where a size is given on the command line', { skip: noPs() }, async () => {
    const { parent } = await startGateway(['--max-semi-space-size=16'])
    assert.deepEqual(children(parent), [])
    await end(parent, 'SIGTERM')
  })

  test('knows a chosen size however it is spelt', () => {
    assert.equal(isTuned(['--max-semi-space-size=64']), true)
    assert.equal(isTuned(['--max_semi_space_size=64']), true)
    assert.equal(isTuned(['--enable-source-maps']), false)
  })
})

function noPs(): string | false {
  return platform() === 'linux' && spawnSync('ps', ['--version']).status === 0 ? false : 'no procps ps to list children'
}
