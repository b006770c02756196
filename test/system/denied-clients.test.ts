/** Real clients that a policy denies something: each hears it in its own words, and keeps what it may have. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { isDirect } from '../support/client-lab.ts'
import { clientMissing } from '../support/clients.ts'
import { type DenialCase, denialCases, denialRules, denialTopics } from '../support/denial-cases.ts'
import { skipReason } from '../support/kafka.ts'
import { openPolicyLab, type PolicyLab } from '../support/policy-lab.ts'
import { type StepAnswer, type StepClient, type StepClientName, startStepClient } from '../support/step-clients.ts'
import { until } from '../support/until.ts'

const clients = ['java', 'confluent', 'franz', 'kafkajs'] as const
/** No step waits for anything but a coordinator's first election. */
const tookMsMax = 10_000
/** A client with its group and its transaction needs up to five. */
const connectionsMax = 6
/** Two dozen, and heartbeats and fetches for as long as it goes on. */
const answersMax = 100
const feedEveryMs = 50
/** The mark of a transaction follows its end. */
const storedMsMax = 3_000

describe('clients that a policy denies something', { skip: skipReason(), timeout: 600_000 }, () => {
  let lab: PolicyLab
  before(async () => {
    lab = await openPolicyLab(denialRules)
    await lab.createTopics(...denialTopics)
    await feed(10)
  })
  after(() => lab?.close())

  for (const name of clients) {
    describe(name, { skip: clientMissing(name) }, () => {
      let client: StepClient
      before(async () => {
        client = await startStepClient(name, { ...lab.connection, ...lab.identity(name) })
      })
      after(() => client?.stop())

      for (const denial of denialCases.filter(({ said }) => said[name] !== undefined)) {
        it(denial.what, () => judge(name, client, denial))
      }
    })
  }

  it('no byte that any of them was sent names the broker, its port or its listener', { skip: isDirect }, () => {
    assert.deepEqual(lab.front?.tap.failures, [])
    assert.deepEqual(lab.front?.watch.leaks, [])
    const asked = ['Produce', 'Fetch', 'InitProducerId', 'JoinGroup', 'ConsumerGroupHeartbeat', 'CreateTopics']
    assert.deepEqual(
      asked.filter(api => lab.front?.watch.answers(api) === 0),
      [],
    )
  })

  async function judge(name: StepClientName, client: StepClient, denial: DenialCase): Promise<void> {
    const seen = await look(denial)
    const feeding = denial.isFed === true ? startFeeding() : undefined
    let answer: StepAnswer
    try {
      answer = await client.step({ ...denial.step, ...ownNames(name, denial.step) })
    } finally {
      await feeding?.stop()
    }
    assert.deepEqual(answer.errors, denial.said[name])
    assert.ok(answer.tookMs < tookMsMax, `${answer.tookMs} ms`)
    judgeRead(answer, denial.read === undefined ? undefined : (denial.read[name] ?? 0))
    if (denial.stored !== undefined) {
      const stored = seen.stored + denial.stored
      await until(`${stored} records are stored`, async () => (await lab.stored('open')) === stored, storedMsMax)
    }
    judgeTraffic(name, denial, seen, await look(denial))
  }

  function judgeTraffic(name: StepClientName, denial: DenialCase, before: Look, after: Look): void {
    if (isDirect) return
    const connections = after.connections - before.connections
    assert.ok(connections > 0 && connections <= connectionsMax, `${connections} connections`)
    const answers = after.answers - before.answers
    assert.ok(answers <= answersMax || denial.isRestless === true, `${answers} answers`)
    if (denial.mixed?.clients.includes(name) === true) assert.ok(after.mixed > before.mixed, 'not in the same request')
  }

  interface Look {
    readonly stored: number
    readonly connections: number
    readonly answers: number
    readonly mixed: number
  }

  async function look({ mixed }: DenialCase): Promise<Look> {
    const { tap, watch } = lab.front ?? {}
    return {
      stored: await lab.stored('open'),
      connections: tap?.accepted ?? 0,
      answers: watch?.answers() ?? 0,
      mixed: mixed === undefined ? 0 : (watch?.mixed.get(mixed.api) ?? 0),
    }
  }

  async function feed(records: number): Promise<void> {
    const messages = Array.from({ length: records }, () => ({ value: 'fed' }))
    await lab.producer.sendBatch({ topicMessages: denialTopics.map(topic => ({ topic, messages })) })
  }

  function startFeeding() {
    let isOver = false
    const feeding = (async () => {
      for (; !isOver; await delay(feedEveryMs)) await feed(1)
    })()
    return {
      async stop() {
        isOver = true
        await feeding
      },
    }
  }
})

function judgeRead({ read = {} }: StepAnswer, openMin: number | undefined): void {
  if (openMin === undefined) return assert.deepEqual(read, {})
  const { open = 0, ...others } = read
  assert.deepEqual(others, {})
  assert.ok(open >= openMin, `${open} records were read`)
}

/** Groups and transactional ids that begin with `mine` are each client's own, so that nobody reads on for another. */
function ownNames(name: StepClientName, step: object): object {
  const own = Object.entries(step).filter(([field, value]) => field !== 'do' && /^mine/.test(String(value)))
  return {
    ...Object.fromEntries(own.map(([field, value]) => [field, `${value}-${name}`])),
    // kafkajs has nothing to wait for but its error.
    ...(name === 'kafkajs' && 'errors' in step && step.errors === 1 ? { records: 0 } : {}),
  }
}
