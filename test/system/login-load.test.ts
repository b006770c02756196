/** What 50 logins a second do to everybody else: the clients are another process, so that only the gateway's work counts. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test } from 'node:test'
import { PlainClient } from '../../src/sasl/plain.ts'
import { usersOf } from '../sasl/scram-peers.ts'
import { startFakeBroker } from '../support/fake-broker.ts'
import { connectRaw } from '../support/raw-client.ts'
import { logIn } from '../support/sasl.ts'
import { startTestGateway } from '../support/test-gateway.ts'

const perSecond = 50
const seconds = 8
const delayMsMax = 20
const resolutionMs = 1

if (process.send === undefined || process.argv[2] === undefined) {
  test('D-02: at 50 logins a second the event loop is at most 20 ms late, 99 times of 100', async context => {
    const users = await usersOf({ alice: 'pass' }, ['SCRAM-SHA-512'], 10_000)
    const broker = await startFakeBroker()
    const content = Buffer.from(users.toText())
    const gateway = await startTestGateway({
      upstream: { bootstrap: [broker.address] },
      listener: { sasl: { mechanisms: ['PLAIN'], users: { path: 'users.json', content } } },
    })
    const delays = monitorEventLoopDelay({ resolution: resolutionMs })
    const clients = fork(import.meta.filename, [String(gateway.port)])
    delays.enable()
    const [counted] = (await once(clients, 'message')) as [number]
    delays.disable()
    const p99 = delays.percentile(99) / 1e6 - resolutionMs
    context.diagnostic(
      `${counted} logins, event loop late by ${p99.toFixed(1)} ms (p99), ${(delays.max / 1e6).toFixed(1)} ms at most`,
    )
    await gateway.stop()
    await broker.stop()
    assert.equal(counted, perSecond * seconds)
    assert.ok(p99 <= delayMsMax, `${p99} ms`)
  })
} else {
  const port = Number(process.argv[2])
  const logins: Promise<boolean>[] = []
  for (let turn = 0; turn < perSecond * seconds; turn++) {
    logins.push(logInOnce(port))
    await new Promise(resolve => setTimeout(resolve, 1_000 / perSecond))
  }
  const done = await Promise.all(logins)
  process.send(done.filter(Boolean).length, () => process.exit())
}

async function logInOnce(port: number): Promise<boolean> {
  const client = await connectRaw({ port })
  const { errorCode } = await logIn(client, new PlainClient('alice', 'pass'))
  await client.close()
  return errorCode === 0
}
