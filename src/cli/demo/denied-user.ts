/** The steps about the one who may not: refused on every way, written down, explained, and let in by a change of the rule. */
import { setTimeout as delay } from 'node:timers/promises'
import { UpstreamError } from '../../errors.ts'
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode, errorName } from '../../protocol/error-code.ts'
import type { AuditRecord } from '../../telemetry/audit-log.ts'
import { explainSources, explanationText } from '../policy-explain.ts'
import { readQuestion, subjectOf } from '../policy-question.ts'
import { readSources } from '../policy-sources.ts'
import type { DemoClient } from './demo-client.ts'
import { topic } from './orders.ts'
import { deny } from './policy.ts'
import { clientOf, countOf, type Scene, upstreamOf } from './scene.ts'
import { type DescribedTopic, fetchQuestion, produceQuestion } from './topic-questions.ts'

/** A word that no other record has: wherever it turns up, something of bob's got there. */
const contraband = 'contraband'
const record = { key: Buffer.from('bob'), value: Buffer.from(`{"item":"${contraband}"}`), timestamp: 0n }
const question = `Produce write topic ${topic}`
const changeMs = 1_000
const patienceMs = 5_000
const pauseMs = 10

export async function refuseBob(scene: Scene): Promise<void> {
  const { screen } = scene
  screen.step('bob has the same role, and a rule against him')
  const bob = clientOf(scene, 'bob')
  const answers = await askRegardless(bob, await clientOf(scene, 'alice').describe(topic))
  const rows = [...answers].map(([asked, code]) => [`bob asks to ${asked}`, `${errorName(code)} (${code})`])
  screen.table([['', `what he is told about ${topic}`], ...rows])
  const isRefused = [...answers.values()].every(code => code === ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  screen.check(
    "refused each time, with Kafka's own error, on a connection that stays open",
    isRefused && bob.isConnected,
  )
  const names = await bob.topicNames()
  screen.check(`the list of all topics that he gets does not name it`, !names.includes(topic))
  const arrived = await upstreamOf(scene).excerptWith(contraband)
  screen.check('what he tried to write reached no broker, not a byte of it', arrived === undefined)
  const values = [...scene.orders.values()].flat().map(({ value }) => value!)
  const hasNone = values.every(value => !bob.received.includes(value))
  screen.check(`none of alice's records is in the ${bob.received.length} bytes he got`, hasNone)
}

/** Clients give up where they cannot find the topic. He asks on, as one would who has its id from somewhere else. */
async function askRegardless(bob: DemoClient, described: DescribedTopic): Promise<ReadonlyMap<string, number>> {
  const connection = await bob.first()
  const written = await connection.ask(ApiKey.Produce, produceQuestion(described, 0, [record]))
  const read = await connection.ask(ApiKey.Fetch, fetchQuestion(described, 0, { fetchOffset: 0n, maxWaitMs: 0 }))
  return new Map([
    ['find it (Metadata)', await bob.errorOf(topic)],
    ['write to it (Produce)', written.responses[0]!.partitionResponses[0]!.errorCode],
    ['read it (Fetch)', read.responses[0]!.partitions[0]!.errorCode],
  ])
}

export async function showTheRule(scene: Scene): Promise<void> {
  const { screen, workspace } = scene
  screen.step('What was written down, and which rule it was')
  const { line, record: audited } = await auditOf(scene, 'Produce')
  screen.say(workspace.path('audit.log'))
  screen.quote(line)
  const isHis = audited.outcome === 'denied' && audited.principal === 'User:bob' && audited.resource === topic
  screen.check(`a record of the denial, decided by ${audited.rule}`, isHis)
  const model = workspace.path('model.conf')
  const rules = workspace.path('policy.csv')
  const asked = readQuestion(question)
  const subject = subjectOf({ principal: 'User:bob' })
  const explained = await explainSources(await readSources({ model, rules: [rules] }), {
    subject,
    asked,
  })
  screen.say(`vkitm policy explain --model ${model} --rules ${rules} User:bob ${question}`)
  screen.quote(explanationText(explained).replaceAll(workspace.path('/'), ''))
  const { rule, allowed } = explained.verdict
  const isSame = !allowed && audited.rule === `${rule?.file}:${rule?.line}` && rule?.text === deny.everything
  screen.check('the command names the same rule, and what would have allowed it', isSame)
}

interface Audited {
  readonly line: string
  readonly record: AuditRecord
}

/** The log is written beside the traffic: it may come a moment later. */
async function auditOf({ workspace }: Scene, api: string): Promise<Audited> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await delay(pauseMs)) {
    for (const line of await workspace.auditLines()) {
      const record = JSON.parse(line) as AuditRecord
      if (record.api === api) return { line, record }
    }
  }
  throw new UpstreamError('VKITM_DEMO', `no audit record of a ${api} was written`, { retriable: false })
}

export async function changeTheRule(scene: Scene): Promise<void> {
  const { screen, workspace, orders } = scene
  screen.step('The rule changes while everybody is connected')
  const bob = clientOf(scene, 'bob')
  screen.quote(`- ${deny.everything}\n+ ${deny.writing}`)
  const started = performance.now()
  await workspace.writePolicy(deny.writing)
  const code = await untilChanged(bob)
  const elapsed = Math.round(performance.now() - started)
  const isLet = code === ErrorCode.NONE && elapsed <= changeMs
  screen.check(`${elapsed} ms later bob finds the topic, on the connection he had`, isLet && bob.isConnected)
  const read = await bob.consume(topic, countOf(orders))
  const count = [...read.values()].flat().length
  screen.check(`he reads all ${count} records`, count === countOf(orders))
  const connection = await bob.first()
  const { responses } = await connection.ask(ApiKey.Produce, produceQuestion(await bob.describe(topic), 0, [record]))
  const { errorCode } = responses[0]!.partitionResponses[0]!
  const isStillRefused = errorCode === ErrorCode.TOPIC_AUTHORIZATION_FAILED
  const arrived = await upstreamOf(scene).excerptWith(contraband)
  screen.check(`to write he still gets ${errorName(errorCode)}`, isStillRefused && arrived === undefined)
}

async function untilChanged(bob: DemoClient): Promise<number> {
  for (const deadline = Date.now() + patienceMs; ; await delay(pauseMs)) {
    const code = await bob.errorOf(topic)
    if (code !== ErrorCode.TOPIC_AUTHORIZATION_FAILED || Date.now() > deadline) return code
  }
}
