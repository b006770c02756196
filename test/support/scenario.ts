/**
 * A scenario is data: a policy, what a client asks, what the broker saw of it and answered, what the client got, and
 * what was written down. Everything goes over bytes, through the same pipeline as in the gateway.
 */
import assert from 'node:assert/strict'
import { createAcl, enforcements } from '../../src/acl/acl.ts'
import type { DecisionEvent } from '../../src/acl/judge.ts'
import type { Client } from '../../src/pipeline/exchange.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import { ServedApis } from '../../src/pipeline/served-apis.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { describeApi } from '../../src/protocol/api-table.ts'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from '../../src/protocol/codec.ts'
import { BatchAttribute } from '../../src/records/record-batch.ts'
import { writeBatch } from '../../src/records/write-batch.ts'
import { type NamedTopic, TopicCatalog } from '../../src/topology/topic-catalog.ts'
import type { Frame } from '../../src/wire/frame.ts'
import { Span } from '../../src/wire/span.ts'
import { fillMessage } from './fill-message.ts'
import { plainPolicy } from './plain-policy.ts'

// biome-ignore lint/suspicious/noExplicitAny: messages in JSON, checked when they are filled.
type Json = any

export interface Step {
  /** Where it is another one than the scenario's. */
  readonly api?: keyof typeof ApiKey
  /** Another client connection than the first, by a number of its own. */
  readonly connection?: number
  /** Replaces the policy before this step. */
  readonly policy?: readonly string[]
  readonly request: Json
  /** What the broker saw of it: the whole message, by the fields that are not defaults. Missing: nothing reached it. */
  readonly forwarded?: Json
  /** What the broker answers; its topics, groups and so on. Missing with acks=0, or where nothing reached it. */
  readonly brokerAnswers?: Json
  /** What the client gets. `null`: no answer, and the connection goes on. */
  readonly clientGets: Json
  /** The connection is closed once earlier requests are answered. */
  readonly thenCloses?: boolean
  /** `write topic secret`: the denials written down, in order. */
  readonly denials?: readonly string[]
  /** `write topic orders`: the allows written down, in order. Looked at where it is given. */
  readonly allows?: readonly string[]
  /** What the policy in force is while the broker answers. */
  readonly policyMeanwhile?: readonly string[]
}

export interface Scenario extends Partial<Step> {
  /** What it is about, in a sentence. */
  readonly scenario: string
  readonly api: keyof typeof ApiKey
  /** `3-12`, or `13`: every version in the range is run. */
  readonly versions: string
  readonly policy: readonly string[]
  readonly principal?: string
  /** Topics of the cluster, with their ids. */
  readonly topics?: Readonly<Record<string, string>>
  readonly autoCreatesTopics?: boolean
  readonly refuse?: readonly string[]
  readonly audit?: boolean
  readonly steps?: readonly Step[]
}

export async function runScenario(scenario: Scenario, version: number): Promise<void> {
  const bench = new Bench(scenario, version)
  for (const step of scenario.steps ?? [scenario as Step]) await bench.run(step)
}

export function versionsOf({ versions }: Scenario): number[] {
  const [min = 0, max = min] = versions.split('-').map(Number)
  return Array.from({ length: max - min + 1 }, (_, at) => min + at)
}

class Bench {
  readonly #scenario: Scenario
  #key: ApiKey
  readonly #version: number
  readonly #pipeline: Pipeline
  readonly #clients = new Map<number, Client>()
  readonly #denials: string[] = []
  readonly #allows: string[] = []
  #policy
  #generation = 1
  #correlationId = 0

  constructor(scenario: Scenario, version: number) {
    this.#scenario = scenario
    this.#key = ApiKey[scenario.api]
    this.#version = version
    const { minVersion, maxVersion } = describeApi(this.#key)!
    assert.ok(version >= minVersion && version <= maxVersion, `${scenario.api} has no version ${version}`)
    this.#policy = plainPolicy(scenario.policy)
    const acl = createAcl({
      rows: enforcements({
        topics: catalogOf(scenario.topics ?? {}),
        autoCreatesTopics: () => scenario.autoCreatesTopics ?? true,
        refuses: (api, type) => scenario.refuse?.includes(`${api}:${type}`) ?? false,
      }),
      policies: () => ({ inForce: this.#policy, shadow: undefined }),
      isEnforcing: scenario.audit !== true,
      log: { decided: event => this.#decided(event), filtered: () => undefined, differed: () => undefined },
    })
    this.#pipeline = new Pipeline({
      // What is refused by default is judged all the same where somebody opens it.
      served: new ServedApis(new Set()),
      stages: [acl],
      metrics: { unknownTags: () => assert.fail('unknown tags') },
    })
  }

  async run(step: Step): Promise<void> {
    this.#key = ApiKey[step.api ?? this.#scenario.api]
    if (step.policy !== undefined) this.#replacePolicy(step.policy)
    this.#denials.length = 0
    this.#allows.length = 0
    const request = this.#frame(encodeRequest(this.#key, this.#header(), this.#fill('request', step.request) as never))
    const opened = this.#pipeline.open(request, this.#client(step.connection ?? 1))
    assert.ok('exchange' in opened, 'not served')
    const { exchange } = opened
    const outcome = await this.#pipeline.judgeRequest(exchange)
    const isForwarded = outcome.kind === 'forward'
    assert.equal(isForwarded, step.forwarded !== undefined, `${outcome.kind}, ${JSON.stringify(this.#denials)}`)
    if (isForwarded)
      this.#expectForwarded(outcome.changed ? this.#pipeline.encodeRequest(exchange).chunks : request.chunks, step)
    const isClosing = (isForwarded && outcome.isLast === true) || outcome.kind === 'close'
    assert.equal(isClosing, step.thenCloses ?? false, 'closes')
    if (step.policyMeanwhile !== undefined) this.#replacePolicy(step.policyMeanwhile)
    if (outcome.kind === 'respond') exchange.response = outcome.response
    else if (isForwarded && step.brokerAnswers !== undefined) await this.#answer(exchange, step)
    else assert.equal(step.clientGets, null)
    if (step.clientGets !== null) this.#expectAnswer(this.#pipeline.encodeResponse(exchange).chunks, step)
    assert.deepEqual(this.#denials, step.denials ?? [])
    if (step.allows !== undefined) assert.deepEqual(this.#allows, step.allows, 'allows written down')
  }

  #client(connection: number): Client {
    const { principal = 'User:alice' } = this.#scenario
    const known = this.#clients.get(connection)
    const client =
      known ?? Object.freeze({ connection, listener: 'l', address: '1:1', ip: '1', principal, nodeId: undefined })
    this.#clients.set(connection, client)
    return client
  }

  async #answer(exchange: Parameters<Pipeline['judgeResponse']>[0], { brokerAnswers }: Step): Promise<void> {
    const body = this.#fill('response', brokerAnswers) as never
    const frame = this.#frame(encodeResponse(this.#key, this.#version, this.#correlationId, body))
    const outcome = await this.#pipeline.judgeResponse(exchange, frame)
    assert.equal(outcome.kind, 'forward')
    if (outcome.kind === 'forward' && !outcome.changed) {
      // What is not said to be changed leaves as it came, so it had better be unchanged.
      assert.deepEqual(Buffer.concat(this.#pipeline.encodeResponse(exchange).chunks), Buffer.concat([...frame.chunks]))
    }
  }

  #expectForwarded(chunks: readonly Buffer[], { forwarded, request }: Step): void {
    const expected = forwarded === 'whole' ? request : forwarded
    const [seen, wanted] = [
      chunks,
      encodeRequest(this.#key, this.#header(), this.#fill('request', expected) as never),
    ].map(bytes => decodeRequest(this.#key, Buffer.concat([...bytes]).subarray(4)).body)
    assert.deepEqual(plain(seen), plain(wanted), 'what the broker saw')
  }

  #expectAnswer(chunks: readonly Buffer[], { clientGets, brokerAnswers }: Step): void {
    const expected = clientGets === 'whole' ? brokerAnswers : clientGets
    const wanted = encodeResponse(this.#key, this.#version, 0, this.#fill('response', expected) as never)
    const [got, want] = [chunks, wanted].map(
      bytes => decodeResponse(this.#key, this.#version, Buffer.concat([...bytes]).subarray(4)).body,
    )
    assert.deepEqual(plain(got), plain(want), 'what the client got')
  }

  #replacePolicy(rows: readonly string[]): void {
    this.#policy = plainPolicy(rows, ++this.#generation)
  }

  #header() {
    return { apiVersion: this.#version, correlationId: this.#correlationId, clientId: 'scenario' }
  }

  /** Fields that a version lacks are left to their defaults, so that one scenario can serve many versions. */
  #fill(type: 'request' | 'response', partial: Json): unknown {
    return fillMessage(type, this.#key, withBatches(partial), this.#version)
  }

  #frame(chunks: readonly Buffer[]): Frame {
    return { chunks, byteLength: chunks.reduce((sum, { length }) => sum + length, 0) }
  }

  #decided({ right, name, verdict }: DecisionEvent): void {
    const noted = verdict.allowed ? this.#allows : this.#denials
    noted.push(`${right.operation} ${right.type} ${name}`)
  }
}

function catalogOf(topics: Readonly<Record<string, string>>): TopicCatalog {
  const all: NamedTopic[] = Object.entries(topics).map(([name, topicId]) => ({ name, topicId }))
  return new TopicCatalog({
    now: () => 0,
    questions: {
      byId: async ids => all.filter(({ topicId }) => ids.includes(topicId)),
      byName: async names => all.filter(({ name }) => names.includes(name)),
      all: async () => all,
    },
  })
}

/** `{ "batch": "hello" }` stands for a batch with one record, `{ "transactionalBatch": "hello" }` for one in a transaction. */
function withBatches(value: Json): Json {
  if (Array.isArray(value)) return value.map(withBatches)
  if (value === null || typeof value !== 'object') return value
  if ('batch' in value) return batchOf(value.batch, 0)
  if ('transactionalBatch' in value) return batchOf(value.transactionalBatch, BatchAttribute.transactional)
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withBatches(field)]))
}

function batchOf(text: string, attributes: number): string {
  return writeBatch([{ value: Buffer.from(text), timestamp: 0n }], { attributes }).toString('base64')
}

/** Spans compare by their bytes. */
function plain(value: unknown): unknown {
  if (value instanceof Span) return value.toBuffer().toString('base64')
  if (Array.isArray(value)) return value.map(plain)
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]))
}
