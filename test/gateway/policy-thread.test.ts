import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { loadPolicy, type PolicySources } from '../../src/acl/policy/compile-policy.ts'
import { PolicyError, VkitmError } from '../../src/errors.ts'
import { readInThread } from '../../src/gateway/policy-thread.ts'
import { shortTurns } from '../../src/gateway/short-turns.ts'

const model = { path: 'model.conf', text: readFileSync('policies/model.conf', 'utf8') }
const sources = (...rows: string[]): PolicySources => ({
  model,
  rules: [{ path: 'policy.csv', text: rows.join('\n') }],
})

const load = (from: PolicySources) =>
  loadPolicy({
    ...from,
    generation: 2,
    superUsers: [],
    knownNames: () => [],
    onError: error => assert.fail(error as Error),
    pause: shortTurns(),
    readElsewhere: readInThread,
  })

test('rules that a thread read decide, and name their lines', async () => {
  const policy = await load(
    sources('# first', 'p, role:readers, topic, orders.*, read, allow', 'g, User:alice, role:readers'),
  )
  const subject = { principal: 'User:alice', host: '127.0.0.1', listener: '', clientId: '' }
  const asked = { api: 'Fetch', operation: 'read', type: 'topic', name: 'orders.eu' } as const
  const { allowed, rule } = policy.decide(subject, asked)
  assert.deepEqual({ allowed, line: rule?.line, file: rule?.file }, { allowed: true, line: 2, file: 'policy.csv' })
  assert.equal(policy.decide(subject, { ...asked, name: 'payments' }).allowed, false)
})

test('every problem that a thread finds is told, with its line', async () => {
  await assert.rejects(
    load(sources('p, User:a, topic, x, raed, allow', 'q, x', 'p, User:a, topic, x, read')),
    error => {
      assert.ok(error instanceof PolicyError)
      assert.deepEqual(
        error.problems.map(({ path }) => path),
        ['policy.csv:1', 'policy.csv:2', 'policy.csv:3'],
      )
      return true
    },
  )
})

test('the event loop turns while a thread reads', async () => {
  const many = Array.from({ length: 50_000 }, (_, at) => `p, User:u${at % 100}, topic, t${at}, read, allow`)
  let turns = 0
  let isReading = true
  const reading = readInThread(sources(...many)).finally(() => {
    isReading = false
  })
  for (; isReading; turns++) await setImmediate()
  assert.equal((await reading).rules, 50_000)
  assert.ok(turns > 50, `${turns} turns`)
})

test('a thread that breaks is a failure that says so, not silence', async () => {
  const broken = { ...sources('p, User:a, topic, x, read, allow'), model: { path: 'own.conf', text: '[nothing]' } }
  await assert.rejects(readInThread(broken), error => {
    assert.ok(error instanceof VkitmError && !(error instanceof PolicyError))
    assert.match(error.message, /could not be read: own\.conf is a model of your own/)
    return true
  })
})

test('work in short turns makes way again and again', async () => {
  const pause = shortTurns()
  let turns = 0
  const until = performance.now() + 60
  while (performance.now() < until) {
    const others = pause()
    if (others === undefined) continue
    turns++
    await others
  }
  assert.ok(turns >= 2, `${turns} turns`)
})
