/**
 * B-16: Java's SubscriptionPattern under a policy. A broker would resolve the expression with the gateway's own rights, so
 * the gateway resolves it with the client's (KIP-848).
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { isDirect } from '../support/client-lab.ts'
import { clientMissing } from '../support/clients.ts'
import { skipReason } from '../support/kafka.ts'
import { openPolicyLab, type PolicyLab } from '../support/policy-lab.ts'
import { type Said, type StepClient, startStepClient } from '../support/step-clients.ts'

const group = 'p, User:reader, group, orders-readers, read, allow'
const readable = (name: string) => `p, User:reader, topic, ${name}, read, allow`
const granted = [group, readable('payments'), readable('orders.eu.*')]
const perTopic = 10

describe("B-16: Java's SubscriptionPattern under a policy", {
  skip: skipReason() || clientMissing('java') || (isDirect && 'Kafka looks for new topics every ten minutes'),
  timeout: 180_000,
}, () => {
  let lab: PolicyLab
  let client: StepClient
  before(async () => {
    lab = await openPolicyLab(granted.join('\n'))
    await make('orders.eu.old', 'orders.eu.north', 'orders.secret', 'orders', 'payments')
    client = await startStepClient('java', { ...lab.connection, ...lab.identity('reader') })
    client.begin({ do: 'stream', pattern: 'orders\\..*', protocol: 'consumer', group: 'orders-readers' })
  })
  after(async () => {
    await client?.stop()
    await lab?.close()
  })

  it('streams what matches and is readable; what is not readable does not appear, nor does what matches in part', async () => {
    await client.until('reads both', said => hasRead(said, 'orders.eu.old') && hasRead(said, 'orders.eu.north'))
    assert.deepEqual(assignment(client.said), ['orders.eu.north', 'orders.eu.old'])
    assert.deepEqual(namesIn(client.said), ['orders.eu.north', 'orders.eu.old'])
  })

  it('a topic that is created later appears by itself', async t => {
    const created = Date.now()
    await make('orders.eu.new')
    await client.until('reads it', said => hasRead(said, 'orders.eu.new'))
    t.diagnostic(`read ${Date.now() - created} ms after it was created`)
    assert.deepEqual(assignment(client.said), ['orders.eu.new', 'orders.eu.north', 'orders.eu.old'])
  })

  it('a topic that is granted later appears, with what it held before', async t => {
    assert.ok(!namesIn(client.said).includes('orders.secret'))
    const written = Date.now()
    await lab.writeRules([...granted, readable('orders.secret')].join('\n'))
    await client.until('reads it', said => hasRead(said, 'orders.secret'))
    t.diagnostic(`read ${Date.now() - written} ms after the rules were written`)
  })

  it('a topic that is revoked goes, and only that one', async () => {
    await lab.writeRules(granted.join('\n'))
    await client.until('gives it up', said => !assignment(said).includes('orders.secret'))
    assert.deepEqual(assignment(client.said), ['orders.eu.new', 'orders.eu.north', 'orders.eu.old'])
    // From the beginning: nothing that came took anything away.
    const taken = client.said.flatMap(({ revoked = [], lost = [] }) => [
      ...(revoked as string[]),
      ...(lost as string[]),
    ])
    assert.deepEqual(taken, ['orders.secret'])
  })

  it('every record was read once, and the broker was never named', () => {
    for (const topic of ['orders.eu.old', 'orders.eu.north', 'orders.eu.new', 'orders.secret']) {
      assert.deepEqual(
        readsOf(client.said, topic),
        Array.from({ length: perTopic }, (_, number) => `${topic} ${number}`),
      )
    }
    assert.deepEqual(lab.front?.tap.failures, [])
    assert.deepEqual(lab.front?.watch.leaks, [])
  })

  async function make(...topics: string[]): Promise<void> {
    await lab.createTopics(...topics)
    const messages = (topic: string) =>
      Array.from({ length: perTopic }, (_, number) => ({ value: `${topic} ${number}` }))
    await lab.producer.sendBatch({ topicMessages: topics.map(topic => ({ topic, messages: messages(topic) })) })
  }
})

const readsOf = (said: readonly Said[], topic: string) =>
  said.filter(({ read }) => read === topic).map(({ value }) => value)
const hasRead = (said: readonly Said[], topic: string) => readsOf(said, topic).length >= perTopic

/** What the consumer holds: assigned and not revoked or lost since. */
function assignment(said: readonly Said[]): string[] {
  const held = new Set<string>()
  for (const { assigned = [], revoked = [], lost = [] } of said) {
    for (const topic of assigned as string[]) held.add(topic)
    for (const topic of [...(revoked as string[]), ...(lost as string[])]) held.delete(topic)
  }
  return [...held].sort()
}

/** Every topic that was named to the consumer in any way. */
function namesIn(said: readonly Said[]): string[] {
  const named = said.flatMap(({ read, assigned = [], failed = [] }) => [
    ...(read === undefined ? [] : [read as string]),
    ...(assigned as string[]),
    ...(failed as string[]),
  ])
  return [...new Set(named)].sort()
}
