/** One request through the stage of policies alone, over bytes: what would become of it. */
import { createAcl, enforcements } from '../../src/acl/acl.ts'
import type { Policy } from '../../src/acl/policy/policy.ts'
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
}

const client: Client = Object.freeze({
  connection: 1,
  listener: 'l',
  address: '1:1',
  ip: '1',
  principal: 'User:alice',
  nodeId: undefined,
})

export interface Judging {
  readonly key: ApiKey
  readonly version: number
  readonly partial: unknown
  readonly policy: Policy
  /** What exists. */
  readonly topics?: readonly NamedTopic[]
}

export async function judged({ key, version, partial, policy, topics = [] }: Judging): Promise<Judged> {
  let questions = 0
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
  const pipeline = new Pipeline({
    served: new ServedApis(new Set()),
    stages: [
      createAcl({
        rows: enforcements({ topics: catalog, autoCreatesTopics: () => true, refuses: () => false }),
        policies: () => ({ inForce: policy, shadow: undefined }),
        isEnforcing: true,
        log: { decided: () => undefined, filtered: () => undefined, differed: () => undefined },
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
    return { kind: 'respond', bytes: Buffer.concat([...pipeline.encodeResponse(exchange).chunks]), questions }
  }
  if (outcome.kind === 'close') return { kind: 'close', bytes: Buffer.alloc(0), questions }
  const forwarded = outcome.changed ? pipeline.encodeRequest(exchange).chunks : chunks
  return { kind: 'forward', bytes: Buffer.concat([...forwarded]), questions }
}
