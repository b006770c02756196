/** One request through the stage of policies alone, over bytes: what would become of it. */
import { createAcl, enforcements } from '../../src/acl/acl.ts'
import { createDecideAhead } from '../../src/acl/decide-ahead.ts'
import type { Policy } from '../../src/acl/policy/policy.ts'
import type { Right } from '../../src/acl/rights.ts'
import type { Client } from '../../src/pipeline/exchange.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import { ServedApis } from '../../src/pipeline/served-apis.ts'
import type { ApiKey } from '../../src/protocol/api-key.ts'
import { encodeRequest } from '../../src/protocol/codec.ts'
import { type NamedTopic, TopicCatalog } from '../../src/topology/topic-catalog.ts'
import { fillMessage } from './fill-message.ts'

export interface Judged {
  /** `respond` with the answer's bytes, `forward` with those the broker would get, `close` with none. */
  readonly kind: string
  readonly bytes: Buffer
  /** How often the cluster was asked about topics. */
  readonly questions: number
  /** What was written down or counted, in that order: `decided topic read orders true`. */
  readonly log: readonly string[]
}

const client: Client = Object.freeze({
  connection: 1,
  listener: 'l',
  address: '1:1',
  ip: '1',
  principal: 'User:alice',
  nodeId: undefined,
})

const spelled = ({ type, operation }: Right): string => `${type} ${operation}`

export interface Judging {
  readonly key: ApiKey
  readonly version: number
  readonly partial: unknown
  readonly policy: Policy
  /** Tried beside it. */
  readonly shadow?: Policy
  /** What exists. */
  readonly topics?: readonly NamedTopic[]
  /** The ids of `topics` are known before anybody asks. */
  readonly isCatalogWarm?: boolean
  /** Makes way for others: large messages are decided ahead. */
  readonly pause?: () => Promise<void> | undefined
}

export async function judged(judging: Judging): Promise<Judged> {
  const { key, version, partial, policy, shadow, topics = [], isCatalogWarm = false, pause } = judging
  let questions = 0
  const log: string[] = []
  const asked = <T>(answer: T): Promise<T> => {
    questions++
    return Promise.resolve(answer)
  }
  const catalog = new TopicCatalog({
    now: () => 0,
    questions: {
      byId: ids => asked(topics.filter(({ topicId }) => ids.includes(topicId))),
      byName: names => asked(topics.filter(({ name }) => names.includes(name))),
      all: () => asked(topics),
    },
  })
  if (isCatalogWarm) catalog.learn(topics.map(topic => ({ ...topic, errorCode: 0 })))
  const facts = { topics: catalog, autoCreatesTopics: () => true, refuses: () => false }
  const pipeline = new Pipeline({
    served: new ServedApis(new Set()),
    stages: [
      createAcl({
        rows: enforcements(facts),
        policies: () => ({ inForce: policy, shadow }),
        isEnforcing: true,
        log: {
          decided: ({ right, name, verdict }) => log.push(`decided ${spelled(right)} ${name} ${verdict.allowed}`),
          filtered: (_, right, isAllowed) => log.push(`filtered ${spelled(right)} ${isAllowed}`),
          differed: ({ right, name, shadow: { allowed } }) => log.push(`differed ${spelled(right)} ${name} ${allowed}`),
        },
        decideAhead: pause === undefined ? undefined : createDecideAhead({ ...facts, pause }),
      }),
    ],
    metrics: { unknownTags: () => undefined },
  })
  const body = fillMessage('request', key, partial as never, version)
  const chunks = encodeRequest(key, { apiVersion: version, correlationId: 1, clientId: 'judged' }, body as never)
  const opened = pipeline.open({ chunks, byteLength: chunks.reduce((sum, { length }) => sum + length, 0) }, client)
  if (!('exchange' in opened)) throw new Error(`API key ${key} version ${version} is not served`)
  const { exchange } = opened
  const outcome = await pipeline.judgeRequest(exchange)
  if (outcome.kind === 'respond') {
    exchange.response = outcome.response
    return { kind: 'respond', bytes: Buffer.concat([...pipeline.encodeResponse(exchange).chunks]), questions, log }
  }
  if (outcome.kind === 'close') return { kind: 'close', bytes: Buffer.alloc(0), questions, log }
  const forwarded = outcome.changed ? pipeline.encodeRequest(exchange).chunks : chunks
  return { kind: 'forward', bytes: Buffer.concat([...forwarded]), questions, log }
}
