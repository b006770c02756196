/** A topic taken from consumers while they stream it beside another, and given back. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { isDirect } from '../support/client-lab.ts'
import { clientMissing } from '../support/clients.ts'
import { skipReason } from '../support/kafka.ts'
import { openPolicyLab, type PolicyLab } from '../support/policy-lab.ts'
import { type Said, type StepClient, type StepClientName, startStepClient } from '../support/step-clients.ts'

const rulesWith = (topics: readonly string[]) =>
  [
    ...topics.map(topic => `p, User:reader, topic, ${topic}, read, allow`),
    'p, User:reader, group, streaming-*, read, allow',
  ].join('\n')

const topics = ['kept', 'taken'] as const
type Topic = (typeof topics)[number]

interface Streaming {
  readonly title: string
  readonly client: StepClientName
  readonly protocol?: string
  /** What it says of the topic that was taken. */
  readonly denial: string
}

const streamings: readonly Streaming[] = [
  { title: 'Java, classic group', client: 'java', protocol: 'classic', denial: 'TopicAuthorizationException taken' },
  { title: 'Java, KIP-848 group', client: 'java', protocol: 'consumer', denial: 'TopicAuthorizationException taken' },
  { title: 'confluent-kafka', client: 'confluent', denial: 'TOPIC_AUTHORIZATION_FAILED taken' },
]

const everyMs = 20
const revokedForMs = 4_000
/** After this no record of a topic that was taken may arrive. */
const inForceMs = 1_000
/** Silence of the topic that was kept: a few long polls on a busy machine. */
const silenceMsMax = 2_000
/** Read of each topic before it begins. */
const warm = 25

describe('B-03: a topic revoked while consumers stream', {
  skip: skipReason() || clientMissing('java') || clientMissing('confluent'),
  timeout: 180_000,
}, () => {
  let lab: PolicyLab
  let clients: readonly StepClient[] = []
  let sent = 0
  const moments = { revoked: 0, granted: 0 }

  before(async () => {
    lab = await openPolicyLab(rulesWith(topics))
    await lab.createTopics(...topics)
    clients = await Promise.all(streamings.map(startStream))
    const feeding = startFeeding()
    try {
      await everywhere('reads both topics', said => topics.every(topic => readsOf(said, topic).length >= warm))
      moments.revoked = Date.now()
      await lab.writeRules(rulesWith(['kept']))
      await delay(revokedForMs)
      moments.granted = Date.now()
      await lab.writeRules(rulesWith(topics))
      await everywhere('reads the topic again', said => readsOf(said, 'taken').at(-1)!.at > moments.granted)
    } finally {
      await feeding.stop()
    }
    await everywhere('has read everything', said => topics.every(topic => readsOf(said, topic).length >= sent))
  })
  after(async () => {
    for (const client of clients) await client.stop()
    await lab?.close()
  })

  for (const [at, { title, denial }] of streamings.entries()) {
    describe(title, () => {
      const said = () => clients[at]!.said
      const between = (topic: Topic, fromMs: number, toMs: number) =>
        readsOf(said(), topic).filter(read => read.at > fromMs && read.at <= toMs)

      it('gets no record of it once a second has passed', t => {
        const { revoked, granted } = moments
        const last = between('taken', 0, granted).at(-1)!.at
        t.diagnostic(`the last record came ${last - revoked} ms after the rules were written`)
        assert.deepEqual(between('taken', revoked + inForceMs, granted), [])
        assert.ok(between('taken', 0, revoked).length >= warm)
      })

      it('is told why, in its own words', () => {
        const failures = said().flatMap(({ failed }) => (failed === undefined ? [] : (failed as string[])))
        assert.deepEqual([...new Set(failures)], [denial])
      })

      it('goes on with the other topic, without a pause and without a rebalance', t => {
        const { revoked } = moments
        const kept = between('kept', revoked - silenceMsMax, Number.POSITIVE_INFINITY).map(read => read.at)
        const silenceMs = Math.max(...kept.slice(1).map((ms, index) => ms - kept[index]!))
        t.diagnostic(`the longest silence was ${silenceMs} ms`)
        assert.ok(silenceMs < silenceMsMax, `${silenceMs} ms`)
        const rebalances = said().filter(line =>
          ['assigned', 'revoked', 'lost', 'generation'].some(what => what in line),
        )
        assert.deepEqual(
          rebalances.filter(line => line.at > revoked),
          [],
        )
        assert.ok(rebalances.some(line => 'generation' in line && line.generation !== -1))
      })

      it('reads on when it is granted again, where it stopped: every record once and in order', t => {
        const { granted } = moments
        const first = between('taken', granted, Number.POSITIVE_INFINITY)[0]!.at
        t.diagnostic(`the first record came ${first - granted} ms after the rules were written`)
        const all = Array.from({ length: sent }, (_, number) => `${number}`)
        for (const topic of topics)
          assert.deepEqual(
            readsOf(said(), topic).map(({ value }) => value),
            all,
          )
      })
    })
  }

  it('no byte that they were sent names the broker, its port or its listener', { skip: isDirect }, () => {
    assert.deepEqual(lab.front?.tap.failures, [])
    assert.deepEqual(lab.front?.watch.leaks, [])
  })

  async function startStream({ title, client, protocol }: Streaming): Promise<StepClient> {
    const started = await startStepClient(client, { ...lab.connection, ...lab.identity('reader') })
    const group = `streaming-${title.replaceAll(/\W/g, '-')}`
    started.begin({ do: 'stream', topics, group, ...(protocol === undefined ? {} : { protocol }) })
    return started
  }

  async function everywhere(what: string, fits: (said: readonly Said[]) => boolean): Promise<void> {
    await Promise.all(clients.map(client => client.until(what, fits)))
  }

  /** Numbers, at the broker. */
  function startFeeding() {
    let isOver = false
    const feeding = (async () => {
      for (; !isOver; await delay(everyMs)) {
        const messages = [{ value: `${sent}` }]
        await lab.producer.sendBatch({ topicMessages: topics.map(topic => ({ topic, messages })) })
        sent++
      }
    })()
    return {
      async stop() {
        isOver = true
        await feeding
      },
    }
  }
})

function readsOf(said: readonly Said[], topic: Topic): Said[] {
  return said.filter(({ read }) => read === topic)
}
