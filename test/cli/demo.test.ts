import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { DemoClient } from '../../src/cli/demo/demo-client.ts'
import { Screen } from '../../src/cli/demo/screen.ts'
import { startEmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { UpstreamError } from '../../src/errors.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { finish, start } from '../support/child-process.ts'
import { hasMaven, javaMissing } from '../support/java.ts'

const program = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.js')
const ansi = '\u001b['

const run = (args: string[]) => finish(process.execPath, [program, 'demo', ...args], { timeoutMs: 100_000 })

const folderIn = (text: string) => /\S*vkitm-demo-\w+/.exec(text)?.[0] ?? assert.fail(`no folder is named in:\n${text}`)

describe('vkitm demo', { timeout: 120_000 }, () => {
  it('shows the whole way through TLS, exits with 0 and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await run(['--once'])
    assert.equal(code, 0, stdout + stderr)
    assert.equal(stderr, '')
    assert.match(stdout, /TLSv1\.3.*localhost by vkitm demo authority/)
    assert.match(stdout, /9 records produced/)
    assert.match(stdout, /demo\.orders-2\s+2\s+carol\s+\{"order":9,"customer":"carol","item":"glass"\}/)
    assert.match(stdout, /broker 3\s+localhost:\d+3\s+127\.0\.0\.1:\d+/)
    assert.match(stdout, /plaintext protocol they always spoke:\s+│ .*\{"order":1,"customer":"alice","item":"tea"\}/)
    assert.match(stdout, /Every step held/)
    assert.ok(!stdout.includes('✗') && !stdout.includes(ansi))
    assert.equal(existsSync(folderIn(stdout)), false)
  })

  it('stays up for other clients until it is told to stop', async () => {
    const child = start(process.execPath, [program, 'demo'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    let stdout = ''
    for await (const text of child.stdout!.setEncoding('utf8')) {
      stdout += text
      if (stdout.includes('Up until Ctrl-C') && stdout.endsWith('\n')) break
    }
    const folder = folderIn(stdout)
    const [, kcat] = /^(kcat .* -L)$/m.exec(stdout) ?? assert.fail(stdout)
    assert.ok(kcat!.includes(`ssl.ca.location=${join(folder, 'certs', 'ca.pem')}`))
    assert.ok(existsSync(join(folder, 'client.properties')))
    child.kill('SIGINT')
    assert.deepEqual(await ended, [0, null])
    assert.equal(existsSync(folder), false)
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
    assert.match(stdout, /Every step held/)
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
