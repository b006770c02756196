import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { DemoClient } from '../../src/cli/demo/demo-client.ts'
import { makeOrders } from '../../src/cli/demo/orders.ts'
import { speakTls } from '../../src/cli/demo/refused-connections.ts'
import type { Scene } from '../../src/cli/demo/scene.ts'
import { Screen } from '../../src/cli/demo/screen.ts'
import { endStory, tell } from '../../src/cli/demo/story.ts'
import { Workspace } from '../../src/cli/demo/workspace.ts'
import { startEmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { UpstreamError } from '../../src/errors.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { finish, start } from '../support/child-process.ts'
import { hasMaven, javaMissing } from '../support/java.ts'
import { without } from '../tls/programs.ts'

const program = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.js')
const ansi = '\u001b['

const run = (args: string[]) => finish(process.execPath, [program, 'demo', ...args], { timeoutMs: 100_000 })

const folderIn = (text: string) => /\S*vkitm-demo-\w+/.exec(text)?.[0] ?? assert.fail(`no folder is named in:\n${text}`)

/** What a user is told of every step, whatever stands behind the gateway. */
const everyStep = [
  /✓ one each for alice and bob, to show to the gateway/,
  /p, User:bob, topic, demo\.orders, \*, deny\n/,
  /✓ every record came back/,
  /find it \(Metadata\) +TOPIC_AUTHORIZATION_FAILED \(29\)/,
  /write to it \(Produce\) +TOPIC_AUTHORIZATION_FAILED \(29\)/,
  /read it \(Fetch\) +TOPIC_AUTHORIZATION_FAILED \(29\)/,
  /✓ refused each time, with Kafka's own error/,
  /✓ the list of all topics that he gets does not name it/,
  /✓ what he tried to write reached no broker/,
  /✓ none of alice's records is in the \d+ bytes he got/,
  /"outcome":"denied","principal":"User:bob","api":"Produce",.*"rule":"\S+policy\.csv:6"/,
  /│ denied by policy\.csv:6: p, User:bob, topic, demo\.orders, \*, deny\n.*also matching:\n.*policy\.csv:2: /,
  /✓ the command names the same rule/,
  /✓ he reads all 9 records/,
  /✓ to write he still gets TOPIC_AUTHORIZATION_FAILED/,
  /✓ plaintext on the TLS port: closed without an answer/,
  /✓ a client that does not know the authority does not go on/,
  /✓ a client without a certificate: closed without an answer/,
  /✓ an alice of somebody else's authority: closed without an answer/,
  /Every step held/,
]

interface LiveDemo {
  readonly stdout: string
  readonly folder: string
  /** @returns what the process ended with. */
  stop(): Promise<unknown[]>
}

async function liveDemo(): Promise<LiveDemo> {
  const child = start(process.execPath, [program, 'demo'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  let stdout = ''
  for await (const text of child.stdout!.setEncoding('utf8')) {
    stdout += text
    if (stdout.includes('Up until Ctrl-C') && stdout.endsWith('\n')) break
  }
  return {
    stdout,
    folder: folderIn(stdout),
    stop() {
      child.kill('SIGINT')
      return ended
    },
  }
}

/** The lines that the demo offers for copying under a heading. */
function offered(stdout: string, heading: string): string[] {
  const [, block = assert.fail(`nothing about ${heading}`)] = stdout.split(`\n  ${heading}\n`)
  return block.split('\n\n')[0]!.split('\n')
}

describe('vkitm demo', { timeout: 120_000 }, () => {
  it('shows the whole way through TLS, exits with 0 and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await run(['--once'])
    assert.equal(code, 0, stdout + stderr)
    assert.equal(stderr, '')
    assert.match(stdout, /TLSv1\.3.*localhost by vkitm demo authority/)
    assert.match(stdout, /9 records produced/)
    assert.match(stdout, /demo\.orders-2\s+2\s+zoe\s+\{"order":9,"customer":"zoe","item":"glass"\}/)
    assert.match(stdout, /broker 3\s+localhost:\d+3\s+127\.0\.0\.1:\d+/)
    assert.match(stdout, /plaintext protocol they always spoke:\s+│ .*\{"order":1,"customer":"ida","item":"tea"\}/)
    for (const sentence of everyStep) assert.match(stdout, sentence)
    const found = /✓ (\d+) ms later bob finds/.exec(stdout) ?? assert.fail(stdout)
    assert.ok(Number(found[1]) <= 1_000, found[0])
    assert.ok(!stdout.includes('✗') && !stdout.includes(ansi))
    assert.equal(existsSync(folderIn(stdout)), false)
  })

  it('stays up for other clients until it is told to stop', async () => {
    const { stdout, folder, stop } = await liveDemo()
    assert.match(stdout, /^kcat -F \S+alice\.conf -L$/m)
    assert.ok(existsSync(join(folder, 'alice.properties')))
    assert.deepEqual(await stop(), [0, null])
    assert.equal(existsSync(folder), false)
  })

  it('refuses, byte for byte, who shows no certificate and whom the policy denies', async () => {
    const { stdout, folder, stop } = await liveDemo()
    try {
      const inFolder = (...names: string[]) => readFileSync(join(folder, ...names), 'utf8')
      const port = Number(/localhost:(\d+)/.exec(inFolder('alice.conf'))![1])
      const gateway = { host: 'localhost', port, ca: inFolder('certs', 'ca.pem') }
      const stranger = await speakTls(gateway)
      assert.deepEqual([stranger.isClosed, stranger.answer.toString('hex')], [true, ''])
      const identity = { certificate: inFolder('certs', 'bob.pem'), key: inFolder('certs', 'bob.key') }
      assert.ok((await speakTls({ ...gateway, identity })).answer.length > 0, 'the same question, with a certificate')

      const written = () => inFolder('audit.log').split('\n').length
      const before = written()
      const bob = new DemoClient({ ...gateway, identity })
      const record = new Map([[0, [{ value: Buffer.from('smuggled goods'), timestamp: 0n }]]])
      try {
        await assert.rejects(
          bob.produce('demo.orders', record),
          /producing to demo\.orders-0: TOPIC_AUTHORIZATION_FAILED/,
        )
        const values = [...(await bob.consume('demo.orders', 9)).values()].flat().map(({ value }) => String(value))
        assert.equal(values.length, 9)
        assert.ok(values.every(value => value.includes('"customer"') && !value.includes('smuggled')))

        writeFileSync(join(folder, 'policy.csv'), inFolder('policy.csv').replace(', write, deny', ', *, deny'))
        for (let code = 0, tries = 0; code !== ErrorCode.TOPIC_AUTHORIZATION_FAILED; tries++) {
          assert.ok(tries < 100, 'the change is not in force')
          await delay(50)
          code = await bob.errorOf('demo.orders')
        }
        const more = new DemoClient({ ...gateway, identity })
        try {
          await assert.rejects(more.consume('demo.orders', 9), /TOPIC_AUTHORIZATION_FAILED/)
          assert.equal(more.received.includes('"customer"'), false)
        } finally {
          more.close()
        }
      } finally {
        bob.close()
      }
      assert.ok(written() > before)
      assert.ok(!stdout.includes('smuggled goods'))
    } finally {
      await stop()
    }
  })

  it('offers commands that do what they say when pasted', { skip: without('kcat') }, async () => {
    const { stdout, stop } = await liveDemo()
    const paste = (line: string) => finish('bash', ['-c', line], { timeoutMs: 30_000 })
    try {
      const [list, write, read] = offered(stdout, 'kcat, as alice: list, produce, consume')
      assert.match((await paste(list!)).stdout, /topic "demo\.orders" with 3 partitions/)
      assert.equal((await paste(write!)).code, 0)
      assert.match((await paste(read!)).stdout, /hello/)
      const [bobReads, bobWrites] = offered(stdout, 'kcat, as bob: he reads, and is refused when he writes')
      assert.match((await paste(bobReads!)).stdout, /"item":"tea"/)
      assert.match((await paste(bobWrites!)).stderr, /Topic authorization failed/)
      const [explain, change, again] = offered(stdout, 'which rule it is; take it out, and try bob again')
      const explained = await paste(explain!)
      assert.equal(explained.code, 1, explained.stderr)
      assert.match(explained.stdout, /^denied by \S+:6: p, User:bob, topic, demo\.orders, write, deny/)
      assert.equal((await paste(change!)).code, 0)
      await delay(1_000)
      const { code, stderr } = await paste(again!)
      assert.equal(code, 0, stderr)
    } finally {
      await stop()
    }
  })

  it('does not hold where the policy lets everybody in', async () => {
    const workspace = await Workspace.create()
    const writePolicy = workspace.writePolicy.bind(workspace)
    workspace.writePolicy = () => writePolicy('p, User:bob, topic, demo.orders, *, allow')
    let shown = ''
    const write = (text: string | Uint8Array): boolean => {
      shown += text
      return true
    }
    const screen = new Screen({ write })
    const sink = { write() {}, dropped: 0, flushed: async () => {} }
    const log = createLog({ destination: sink })
    const orders = makeOrders(Date.now())
    const scene: Scene = { screen, workspace, log, audit: sink, isKafka: false, orders, clients: new Map() }
    writeFileSync(workspace.path('audit.log'), '')
    try {
      await assert.rejects(tell(scene), /no audit record of a Produce was written/)
    } finally {
      await endStory(scene)
      await workspace.remove()
    }
    assert.match(shown, /✗ refused each time/)
    assert.match(shown, /✗ the list of all topics that he gets does not name it/)
    assert.match(shown, /✗ what he tried to write reached no broker/)
  })

  it('leaves nothing behind where it is told to stop before it is up', async () => {
    const child = start(process.execPath, [program, 'demo'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    let stdout = ''
    child.stdout!.setEncoding('utf8').on('data', text => {
      stdout += text
      if (text.includes('ca.pem')) child.kill('SIGINT')
    })
    assert.deepEqual(await ended, [1, null])
    assert.ok(!stdout.includes('Up until'))
    assert.equal(existsSync(folderIn(stdout)), false)
  })

  it('says what is missing where a real Kafka cannot run, and exits with 1', async () => {
    const env = { ...process.env, PATH: '/nowhere' }
    const { status, stdout } = spawnSync(process.execPath, [program, 'demo', '--once', '--kafka'], {
      env,
      encoding: 'utf8',
    })
    rmSync(folderIn(stdout), { recursive: true })
    assert.equal(status, 1, stdout)
    assert.match(stdout, /✗ --kafka needs Java 17 or newer: no java is on the path \(without --kafka/)
    assert.match(stdout, /1 of the checks did not hold/)
  })

  const skip = javaMissing() ?? (hasMaven() ? false : 'no mvn on the path to bring Apache Kafka')
  it('does the same in front of a real Kafka', { skip }, async () => {
    const { code, stdout, stderr } = await run(['--once', '--kafka'])
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /1 broker of Apache Kafka 4\.4\.0/)
    for (const sentence of everyStep) assert.match(stdout, sentence)
    assert.equal(existsSync(folderIn(stdout)), false)
  })
})

describe('the screen of the demo', () => {
  function screenOf(hasColors?: boolean): { screen: Screen; shown: () => string } {
    let text = ''
    const write = (more: string | Uint8Array) => {
      text += more
      return true
    }
    const screen = new Screen(hasColors === undefined ? { write } : { write, hasColors: () => hasColors })
    return { screen, shown: () => text }
  }

  it('has colour only where the terminal has', () => {
    for (const hasColors of [undefined, false, true]) {
      const { screen, shown } = screenOf(hasColors)
      screen.step('a step')
      screen.check('it holds', true)
      assert.equal(shown().includes(ansi), hasColors === true)
    }
  })

  it('counts what does not hold', () => {
    const { screen, shown } = screenOf()
    screen.check('it holds', true)
    assert.equal(screen.failures, 0)
    screen.check('it does not', false)
    assert.equal(screen.failures, 1)
    assert.match(shown(), /✓ it holds\n.*✗ it does not/)
  })

  it('aligns the columns of a table', () => {
    const { screen, shown } = screenOf()
    screen.table([
      ['a', 'b'],
      ['long', 'x'],
    ])
    assert.equal(shown(), '       a      b\n       long   x\n')
  })
})

describe("the demo's client", () => {
  it('fails where the broker refuses, cuts the answer short, or offers nothing to ask with', async () => {
    const cluster = await startEmbeddedCluster({ versions: { DescribeCluster: 'absent' } })
    const client = new DemoClient({ host: '127.0.0.1', port: cluster.node(1).port })
    const orders = new Map([[0, [{ value: Buffer.from('v'), timestamp: 0n }]]])
    try {
      await client.createTopic('t', 1)
      cluster.misbehave({
        api: ApiKey.Produce,
        kind: 'error',
        errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
        times: 1,
      })
      await assert.rejects(client.produce('t', orders), /producing to t-0: TOPIC_AUTHORIZATION_FAILED/)
      assert.equal(await client.produce('t', orders), 1)
      assert.equal((await client.consume('t', 1)).get(0)!.length, 1)
      await assert.rejects(client.askForAddresses('g'), /does not offer DescribeCluster/)
      cluster.misbehave({ api: ApiKey.Produce, kind: 'truncate', bytes: 9, times: 1 })
      await assert.rejects(client.produce('t', orders), UpstreamError)
    } finally {
      client.close()
      await cluster.stop()
    }
  })
})
