import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { FileContent } from '../../src/config/config.ts'
import { PolicyInForce } from '../../src/gateway/policy-in-force.ts'
import { FloodLog } from '../../src/telemetry/flood-log.ts'
import { memoryLog } from '../support/memory-log.ts'

const file = (path: string, text: string) => ({ path, content: Buffer.from(text) }) as FileContent
/** Means the same as the shipped one, but is run by casbin, which cannot answer for every name. */
const ownModel = readFileSync('policies/model.conf', 'utf8').replace(/^m = .*$/m, '$& && r.op != ""')

test('B-33: questions that no policy answers are denied, counted, and one line for each client in ten seconds', async () => {
  const { log, lines } = memoryLog()
  let counted = 0
  const policy = await PolicyInForce.load({
    cluster: 'main',
    config: {
      model: file('model.conf', ownModel),
      rules: file('policy.csv', 'p, *, group, ~g+, read, allow\n'),
      mode: 'enforce',
      superUsers: [],
      internalTopics: 'named',
    },
    knownNames: () => [],
    strangers: new FloodLog({ log, now: () => 0 }),
    metrics: { error: () => void counted++ },
  })
  const ask = (host: string, name: string) => {
    const subject = { principal: 'User:alice', host, listener: 'clients', clientId: '' }
    return policy.current.inForce.decide(subject, { api: 'DescribeGroups', operation: 'describe', type: 'group', name })
  }
  assert.ok(ask('10.0.0.1', 'ggg').allowed)
  for (let at = 0; at < 20; at++) assert.equal(ask('10.0.0.1', `${at}`.padEnd(1_025, 'g')).why, 'error')
  assert.equal(ask('10.0.0.2', 'g'.repeat(1_025)).why, 'error')
  assert.equal(counted, 21)
  assert.deepEqual(
    lines().map(({ level, client, principal }) => [level, client, principal]),
    [
      ['error', '10.0.0.1', 'User:alice'],
      ['error', '10.0.0.2', 'User:alice'],
    ],
  )
})
