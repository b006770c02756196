// How long the largest request that is taken holds up everybody else: of every API that names topics, with as many of
// them as it may have, and with as many partitions of one; all denied under 10,000 rules, from its first byte to the last
// of its answer.
import { setImmediate } from 'node:timers/promises'
import { createAcl, enforcements } from '../src/acl/acl.ts'
import type { Policy } from '../src/acl/policy/policy.ts'
import { createDecisionLog, DecisionCounts } from '../src/gateway/decisions.ts'
import type { Client } from '../src/pipeline/exchange.ts'
import { Pipeline } from '../src/pipeline/pipeline.ts'
import { ServedApis } from '../src/pipeline/served-apis.ts'
import type { ApiKey } from '../src/protocol/api-key.ts'
import { allApis } from '../src/protocol/api-table.ts'
import { encodeRequest } from '../src/protocol/codec.ts'
import { AuditLog } from '../src/telemetry/audit-log.ts'
import { Metrics } from '../src/telemetry/metrics.ts'
import { TopicCatalog } from '../src/topology/topic-catalog.ts'
import { fillMessage } from '../test/support/fill-message.ts'
import { namingRequest } from '../test/support/naming-request.ts'
import { loadRules, rulesText } from './random-rules.ts'
import type { Row, Sample } from './row.ts'
import { quantile } from './statistics.ts'

/** `limits.requestItems` where nobody says otherwise. */
const ITEMS = 10_000
const RULES = 10_000
const WARM_UPS = 1
const REPETITIONS = 3

export const largestRequest: Row = {
  id: 'largest-request',
  process: 'kept',
  includesDirect: false,
  figures: [
    {
      id: 'largestRequest',
      title: 'longest stall by a request of limits.requestItems, any API, all topics denied',
      unit: 'ms',
      digits: 0,
      goal: { against: 'nothing', max: 100 },
      clock: true,
    },
  ],
  async measure({ name }): Promise<Sample> {
    // The others decide nothing.
    if (name !== 'vkitm') return {}
    const gateway = await prepare()
    const held: Held[] = []
    for (const request of requests()) held.push(await hold(request, gateway))
    held.sort((one, other) => other.ms - one.ms)
    for (const { what, ms } of held.slice(0, 5)) console.error(`largest-request ${what} ${ms.toFixed(0)} ms`)
    return { largestRequest: held[0]!.ms }
  },
}

interface Held {
  readonly what: string
  readonly ms: number
}

interface LargeRequest {
  readonly what: string
  readonly key: ApiKey
  readonly version: number
  /** Of so many elements of the list that is made long; `salt` makes its names others. */
  readonly build: (elements: number, salt: number) => Json
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

const served = new ServedApis(new Set())

/** Of each API the newest version that names topics: once with many topics, once with one topic and many of what is in it. */
function* requests(): Generator<LargeRequest> {
  for (const { key, name } of allApis) {
    const versions = served.versionsOf(key)
    if (versions === undefined) continue
    for (let version = versions.max; version >= versions.min; version--) {
      const one = namingRequest(key, version, ['topic'])
      if (!one.isNaming) continue
      const partial = one.partial as Json
      const index = indexOf(key, version, partial)
      const api = { key: key as ApiKey, version }
      const names = (count: number, salt: number) => Array.from({ length: count }, (_, at) => `topic-${salt}-${at}`)
      yield {
        ...api,
        what: `${name} ${version} of many topics`,
        build: (count, salt) => namingRequest(key, version, names(count, salt)).partial as Json,
      }
      yield {
        ...api,
        what: `${name} ${version} of many partitions`,
        build: count => widened(partial, count, index),
      }
      break
    }
  }
}

/** The innermost lists of a message, made `count` long; what is a struct there gets a number of its own as `index`. */
function widened(value: Json, count: number, index: string | undefined): Json {
  if (Array.isArray(value)) {
    const first = value[0] as Json
    if (holdsList(first)) return [widened(first, count, index)]
    return Array.from({ length: count }, (_, at) => numbered(first, at, index))
  }
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, widened(inner as Json, count, index)]))
}

function holdsList(value: Json): boolean {
  return typeof value === 'object' && value !== null && (Array.isArray(value) || Object.values(value).some(holdsList))
}

function numbered(value: Json, at: number, index: string | undefined): Json {
  if (typeof value === 'number') return at
  const isStruct = value !== null && typeof value === 'object' && !Array.isArray(value)
  return isStruct && index !== undefined ? { ...value, [index]: at } : value
}

/** What this message calls a partition's number, where it has structs of them. */
function indexOf(key: number, version: number, partial: Json): string | undefined {
  return ['partition', 'partitionIndex', 'index'].find(name => {
    try {
      return fillMessage('request', key, widened(partial, 1, name), version) !== undefined
    } catch {
      return false
    }
  })
}

interface Gateway {
  readonly pipeline: Pipeline
}

const client: Client = Object.freeze({
  connection: 1,
  listener: 'bench',
  address: '127.0.0.1:1',
  ip: '127.0.0.1',
  principal: 'User:stranger',
  nodeId: undefined,
})

async function prepare(): Promise<Gateway> {
  const policy = await load()
  const topics = new TopicCatalog({
    now: () => 0,
    questions: { byId: async () => [], byName: async () => [], all: async () => [] },
  })
  const metrics = new Metrics({ apiName: () => undefined })
  const audit = new AuditLog({
    destination: { dropped: 0, flushed: async () => undefined, write: () => undefined },
    now: () => performance.now(),
  })
  const acl = createAcl({
    rows: enforcements({ topics, autoCreatesTopics: () => true, refuses: () => false }),
    policies: () => ({ inForce: policy, shadow: undefined }),
    isEnforcing: true,
    log: createDecisionLog({ cluster: 'bench', counts: new DecisionCounts(metrics), audit, auditsAllows: false }),
  })
  return {
    pipeline: new Pipeline({
      served,
      stages: [acl],
      metrics,
      requestLimits: { itemsMax: ITEMS },
    }),
  }
}

/** Groups and transactions are allowed, so that the topics in them are looked at. */
function load(): Promise<Policy> {
  const rights = ['group', 'transactionalId'].map(type => `p, ${client.principal}, ${type}, *, *, allow`)
  return loadRules([rulesText(RULES), ...rights].join('\n'))
}

/** The median of some of the largest requests, each with names of its own. */
async function hold({ what, key, version, build }: LargeRequest, { pipeline }: Gateway): Promise<Held> {
  const encode = (elements: number, salt: number): Buffer[] =>
    encodeRequest(
      key,
      { apiVersion: version, correlationId: 1, clientId: 'bench' },
      fillMessage('request', key, build(elements, salt), version) as never,
    )
  const open = (chunks: Buffer[]) => {
    const opened = pipeline.open({ chunks, byteLength: 0 }, client)
    if (!('exchange' in opened)) throw new Error(`${what} is not served`)
    return opened.exchange
  }
  const few = open(encode(10, 0)).requestItems
  const perElement = (open(encode(20, 0)).requestItems - few) / 10
  const elements = Math.floor((ITEMS - few) / perElement) + 10
  const heldMs: number[] = []
  for (let at = 0; at < WARM_UPS + REPETITIONS; at++) {
    const chunks = encode(elements, at + 1)
    const longestMs = await watched(async () => {
      const exchange = open(chunks)
      const outcome = await pipeline.judgeRequest(exchange)
      if (outcome.kind === 'respond') {
        exchange.response = outcome.response
        pipeline.encodeResponse(exchange)
      } else if (outcome.kind === 'forward' && outcome.changed) {
        pipeline.encodeRequest(exchange)
      }
    })
    if (at >= WARM_UPS) heldMs.push(longestMs)
  }
  return { what, ms: quantile(heldMs, 0.5) }
}

/** The longest time between two turns of the event loop. */
async function watched(work: () => Promise<void>): Promise<number> {
  let isDone = false
  let longestMs = 0
  let lookedAt = performance.now()
  const done = work().finally(() => {
    isDone = true
  })
  while (!isDone) {
    await setImmediate()
    longestMs = Math.max(longestMs, performance.now() - lookedAt)
    lookedAt = performance.now()
  }
  await done
  return longestMs
}
