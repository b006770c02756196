/** The shipped example `policies/examples/event-pipeline.csv` as it stands: enough for real clients, and nothing too much. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { projectRoot } from '../support/client-builds.ts'
import { isDirect } from '../support/client-lab.ts'
import { clientMissing } from '../support/clients.ts'
import { skipReason } from '../support/kafka.ts'
import { openPolicyLab, type PolicyLab } from '../support/policy-lab.ts'
import { type StepAnswer, type StepClient, type StepClientName, startStepClient } from '../support/step-clients.ts'

const example = readFileSync(join(projectRoot, 'policies', 'examples', 'event-pipeline.csv'), 'utf8')
const rules = example.split('\n').filter(line => /^[pg],/.test(line))

const clicks = 20
const bad = 3

const createTopic = (name: string) => ({ as: 'deployer', do: 'createTopic', name })
const produce = (as: string, value: string, records: number) => ({
  as,
  do: 'produce',
  topics: ['raw.clicks'],
  value,
  records,
})
const process = {
  as: 'processor',
  do: 'pipeline',
  topics: ['raw.clicks'],
  to: 'clean.clicks',
  deadLetters: 'pipeline.dead-letters',
  group: 'pipeline-processor',
  forMs: 15_000,
}
const consume = { do: 'consume', errors: 0, forMs: 10_000, thenMs: 500 }
const load = { ...consume, as: 'loader', topics: ['clean.clicks'], group: 'pipeline-loader' }
const look = { ...consume, as: 'olga', topics: ['pipeline.dead-letters'], group: 'operator-olga' }

/** A step, and who takes it. */
interface Act {
  readonly as: string
  readonly do: string
  readonly [field: string]: unknown
}

/** Who can no longer do what without a rule; the rule is one line of the example. */
interface Need {
  readonly rule: string
  readonly step: Act
  readonly said: readonly string[]
}

const noTopic = (...names: string[]) => names.map(name => `TopicAuthorizationException ${name}`)
const failing = { errors: 1, thenMs: 0, records: 0 }
const processing = { ...process, transactionalId: 'pipeline-processor-0', records: 2 }
const needs: readonly Need[] = [
  {
    rule: 'p, role:collector, topic, raw.*, Produce, allow',
    step: produce('collector-1', 'click ', 1),
    said: ['ClusterAuthorizationException raw.clicks'],
  },
  {
    rule: 'p, role:collector, topic, raw.*, describe, allow',
    step: produce('collector-1', 'click ', 1),
    said: noTopic('raw.clicks'),
  },
  { rule: 'p, role:processor, topic, raw.*, read, allow', step: processing, said: noTopic('raw.clicks') },
  { rule: 'p, role:processor, topic, clean.*, write, allow', step: processing, said: noTopic('clean.clicks') },
  {
    rule: 'p, role:processor, group, pipeline-processor, read, allow',
    step: processing,
    said: ['GroupAuthorizationException pipeline-processor'],
  },
  {
    rule: 'p, role:processor, transactionalId, pipeline-processor-*, write, allow',
    step: processing,
    said: ['TransactionalIdAuthorizationException initTransactions'],
  },
  {
    rule: 'p, role:processor, topic, pipeline.dead-letters, write, allow',
    step: processing,
    said: noTopic('pipeline.dead-letters'),
  },
  { rule: 'p, role:loader, topic, clean.*, read, allow', step: { ...load, ...failing }, said: noTopic('clean.clicks') },
  {
    rule: 'p, role:loader, group, pipeline-loader, read, allow',
    step: { ...load, ...failing },
    said: ['GroupAuthorizationException pipeline-loader'],
  },
  {
    rule: 'p, role:operator, topic, pipeline.dead-letters, read, allow',
    step: { ...look, ...failing },
    said: noTopic('pipeline.dead-letters'),
  },
  {
    rule: 'p, role:operator, group, operator-*, read, allow',
    step: { ...look, ...failing },
    said: ['GroupAuthorizationException operator-olga'],
  },
  {
    rule: 'p, role:operator, group, pipeline-*, describe, allow',
    step: { as: 'olga', do: 'describeGroup', name: 'pipeline-processor' },
    said: ['GroupAuthorizationException pipeline-processor'],
  },
  {
    rule: 'p, role:operator, transactionalId, pipeline-*, describe, allow',
    step: { as: 'olga', do: 'describeTransaction', name: 'pipeline-processor-0' },
    said: ['TransactionalIdAuthorizationException describeTransaction'],
  },
  {
    rule: 'p, role:deployment, topic, ~(raw|clean|pipeline)\\..*, create, allow',
    step: createTopic('raw.more'),
    said: ['TopicAuthorizationException createTopic'],
  },
  {
    rule: 'p, role:deployment, topic, ~(raw|clean|pipeline)\\..*, alterConfigs, allow',
    step: { as: 'deployer', do: 'configureTopic', name: 'raw.clicks' },
    said: ['TopicAuthorizationException configureTopic'],
  },
  {
    rule: 'g, User:collector-1, role:collector',
    step: produce('collector-1', 'click ', 1),
    said: noTopic('raw.clicks'),
  },
  {
    rule: 'g, User:collector-2, role:collector',
    step: produce('collector-2', 'click ', 1),
    said: noTopic('raw.clicks'),
  },
  {
    rule: 'g, User:processor, role:processor',
    step: processing,
    said: ['TransactionalIdAuthorizationException initTransactions'],
  },
  {
    rule: 'g, User:loader, role:loader',
    step: { as: 'loader', do: 'describeGroup', name: 'pipeline-loader' },
    said: ['GroupAuthorizationException pipeline-loader'],
  },
  {
    rule: 'g, User:olga, role:operator',
    step: { as: 'olga', do: 'describeGroup', name: 'pipeline-loader' },
    said: ['GroupAuthorizationException pipeline-loader'],
  },
  {
    rule: 'g, User:deployer, role:deployment',
    step: createTopic('raw.more'),
    said: ['TopicAuthorizationException createTopic'],
  },
]

describe('the example of an event pipeline', {
  skip:
    skipReason() ||
    clientMissing('java') ||
    clientMissing('franz') ||
    (isDirect && 'Kafka has no rules by API or expression'),
  timeout: 300_000,
}, () => {
  let lab: PolicyLab
  const clients = new Map<StepClientName, StepClient>()
  before(async () => {
    lab = await openPolicyLab(example)
    for (const name of ['java', 'franz'] as const) clients.set(name, await startStepClient(name, lab.connection))
  })
  after(async () => {
    for (const client of clients.values()) await client.stop()
    await lab?.close()
  })

  async function by(name: StepClientName, step: Act): Promise<StepAnswer> {
    return clients.get(name)!.step({ ...step, ...lab.identity(step.as) })
  }

  async function does(name: StepClientName, step: Act): Promise<StepAnswer> {
    const answer = await by(name, step)
    assert.deepEqual(answer.errors, [], JSON.stringify(step))
    return answer
  }

  it('deployment makes the topics', async () => {
    for (const topic of ['raw.clicks', 'clean.clicks', 'pipeline.dead-letters']) await does('java', createTopic(topic))
    await does('java', { as: 'deployer', do: 'configureTopic', name: 'raw.clicks' })
  })

  async function collect(name: StepClientName, as: string): Promise<void> {
    const { stored } = await does(name, produce(as, 'click ', clicks))
    assert.deepEqual(stored, { 'raw.clicks': clicks })
    await does(name, produce(as, 'bad ', bad))
  }

  it('collectors write, with idempotence, and a processor in Java reads, changes and writes in transactions', async () => {
    await collect('java', 'collector-1')
    await collect('franz', 'collector-2')
    const records = 2 * (clicks + bad)
    const { read } = await does('java', { ...process, transactionalId: 'pipeline-processor-0', records })
    assert.deepEqual(read, { 'raw.clicks': records })
  })

  it('a processor in franz-go takes over where that one stopped', async () => {
    await collect('java', 'collector-1')
    const records = clicks + bad
    const { read } = await does('franz', { ...process, transactionalId: 'pipeline-processor-1', records })
    assert.deepEqual(read, { 'raw.clicks': records })
  })

  it('the loader reads each clean record once, the operator each dead letter', async () => {
    const loaded = await does('java', { ...load, records: 3 * clicks })
    assert.deepEqual(loaded.read, { 'clean.clicks': 3 * clicks })
    const letters = await does('franz', { ...look, records: 3 * bad })
    assert.deepEqual(letters.read, { 'pipeline.dead-letters': 3 * bad })
  })

  it('the operator sees how groups and transactions are', async () => {
    await does('java', { as: 'olga', do: 'describeGroup', name: 'pipeline-processor' })
    await does('java', { as: 'olga', do: 'describeGroup', name: 'pipeline-loader' })
    await does('java', { as: 'olga', do: 'describeTransaction', name: 'pipeline-processor-1' })
  })

  it('every rule of it is looked at below', () => {
    assert.deepEqual(needs.map(({ rule }) => rule).sort(), [...rules].sort())
  })

  for (const { rule, step, said } of needs) {
    it(`is broken without: ${rule}`, async () => {
      // Something to process, of both kinds.
      const messages = [{ value: 'click' }, { value: 'bad' }]
      await lab.producer.send({ topic: 'raw.clicks', messages })
      await lab.setRules(example.replace(`${rule}\n`, ''))
      const { errors } = await by('java', step)
      assert.deepEqual(errors, said)
    })
  }

  it('and works with all of them: what could not be processed meanwhile is', async () => {
    await lab.setRules(example)
    const left = 2 * needs.length
    const { read } = await does('java', { ...processing, records: left })
    assert.deepEqual(read, { 'raw.clicks': left })
  })

  it('no byte that any of them was sent names the broker, its port or its listener', () => {
    assert.deepEqual(lab.front?.tap.failures, [])
    assert.deepEqual(lab.front?.watch.leaks, [])
  })
})
