/** Deciding ahead changes nothing but when: what becomes of a request, and what is written down, is the same. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAcl, enforcements } from '../../src/acl/acl.ts'
import { createDecideAhead } from '../../src/acl/decide-ahead.ts'
import type { Policy, Question } from '../../src/acl/policy/policy.ts'
import { type Client, Exchange } from '../../src/pipeline/exchange.ts'
import { ServedApis } from '../../src/pipeline/served-apis.ts'
import type { ApiHandler, RequestOutcome, ResponseOutcome } from '../../src/pipeline/stage.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { allApis, describeApi } from '../../src/protocol/api-table.ts'
import { zeroUuid } from '../../src/protocol/empty.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import {
  listOffsetsRequestDefaults,
  listOffsetsTopicDefaults,
} from '../../src/protocol/generated/list-offsets-request.ts'
import type { ListOffsetsResponse } from '../../src/protocol/generated/list-offsets-response.ts'
import { metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import {
  metadataResponseDefaults,
  metadataResponseTopicDefaults,
} from '../../src/protocol/generated/metadata-response.ts'
import { TopicCatalog } from '../../src/topology/topic-catalog.ts'
import { type Judging, judged } from '../support/judged.ts'
import { namingRequest } from '../support/naming-request.ts'
import { plainPolicy } from '../support/plain-policy.ts'

const served = new ServedApis(new Set())
const places = allApis.flatMap(({ key, name }) => {
  const versions = served.versionsOf(key)
  if (versions === undefined) return []
  const { min, max } = versions
  return Array.from({ length: max - min + 1 }, (_, at) => ({ name, key: key as ApiKey, version: min + at }))
})

const names = ['orders', 'secret', 'orders.eu', 'payments', 'orders', '__consumer_offsets']
const topics = names.map((name, at) => ({ name, topicId: `AAAAAAAAAAAAAAAAAAAA${at}w` }))
const groups = ['p, *, group, *, *, allow', 'p, *, transactionalId, *, *, allow']
const inForce = plainPolicy([...groups, 'p, *, topic, orders*, *, allow', 'p, *, topic, orders.eu, *, deny'])
const shadow = plainPolicy([...groups, 'p, *, topic, payments, *, allow', 'p, *, topic, orders, read, allow'])

/** Decides as `policy` does, and remembers in which order it was asked. */
function recording(policy: Policy): { readonly policy: Policy; readonly asked: string[] } {
  const asked: string[] = []
  const decide = (...[subject, question]: Parameters<Policy['decide']>) => {
    asked.push(spelled(question))
    return policy.decide(subject, question)
  }
  return { policy: { ...policy, decide }, asked }
}

const spelled = ({ type, operation, name, secondary }: Question): string => `${type} ${operation} ${name} ${secondary}`

describe('a large message that is decided ahead', () => {
  test('A-11: becomes what it would have become, in every API and version, and the same is written down', async () => {
    let foreseen = 0
    for (const { name, key, version } of places) {
      const { partial } = namingRequest(key, version, names)
      for (const isCatalogWarm of [true, false]) {
        const judging = { key, version, partial, shadow, topics, isCatalogWarm }
        const plain = recording(inForce)
        const atOnce = await judged({ ...judging, policy: plain.policy })
        const ahead = recording(inForce)
        const inTurns = await judged({ ...judging, policy: ahead.policy, pause: () => Promise.resolve() })
        assert.deepEqual(inTurns, atOnce, `${name} version ${version}`)
        const missing = plain.asked.filter(question => !ahead.asked.includes(question))
        assert.deepEqual(missing, [], `${name} version ${version}`)
        if (ahead.asked.join() !== plain.asked.join()) foreseen++
      }
    }
    assert.ok(foreseen > 50, `${foreseen} requests were asked for in another order`)
  })

  /** Whether anything was asked ahead. */
  let isForeseeing = false

  /** What the row itself still asks of the policy about topics. */
  async function unforeseen(judging: Pick<Judging, 'key' | 'version' | 'partial'>): Promise<string[]> {
    const policy = recording(inForce)
    let askedAhead = 0
    const pause = (): Promise<void> => {
      askedAhead = policy.asked.length
      return Promise.resolve()
    }
    await judged({ ...judging, policy: policy.policy, topics, isCatalogWarm: true, pause })
    isForeseeing ||= askedAhead > 0
    return policy.asked.slice(askedAhead).filter(question => question.startsWith('topic'))
  }

  test('A-11: leaves its row nothing to ask the policy for', async () => {
    const foreseen = new Set<string>()
    for (const { name, key, version } of places) {
      const { partial, isNaming } = namingRequest(key, version, names)
      if (!isNaming) continue
      isForeseeing = false
      assert.deepEqual(await unforeseen({ key, version, partial }), [], `${name} version ${version}`)
      if (isForeseeing) foreseen.add(name)
    }
    assert.ok(foreseen.size >= 20, [...foreseen].join())
  })

  test('A-11: nor where topics are named by ids that are known', async () => {
    const partial = { topics: topics.map(({ topicId }) => ({ topicId, partitions: [{ partition: 0 }] })) }
    isForeseeing = false
    assert.deepEqual(await unforeseen({ key: ApiKey.Fetch, version: 17, partial }), [])
    assert.ok(isForeseeing)
  })
})

const client: Client = Object.freeze({
  connection: 1,
  listener: 'l',
  address: '10.0.0.1:1',
  ip: '10.0.0.1',
  principal: 'User:alice',
  nodeId: undefined,
})

describe('while a large message is decided', () => {
  let policy: Policy
  let mayDecide = true
  /** Called at every pause. */
  let onPause: () => void

  const handlerOf = (key: number, version: number): ApiHandler => {
    const catalog = new TopicCatalog({
      now: () => 0,
      questions: { byId: async () => [], byName: async () => [], all: async () => [] },
    })
    const facts = { topics: catalog, autoCreatesTopics: () => false, refuses: () => false }
    return createAcl({
      rows: enforcements(facts),
      policies: () => ({ inForce: policy, shadow: undefined }),
      isEnforcing: true,
      log: { decided: () => undefined, filtered: () => undefined, differed: () => undefined },
      mayDecide: () => mayDecide,
      decideAhead: createDecideAhead({
        ...facts,
        pause: () => {
          onPause()
          return Promise.resolve()
        },
      }),
    }).handler(key, version)!
  }

  const named = Array.from({ length: 10 }, (_, at) => `t${at}`)
  const everything = 'p, *, topic, *, *, allow'

  const listOffsets = (): Exchange => {
    const header = { apiKey: ApiKey.ListOffsets, apiVersion: 5, correlationId: 1, clientId: 'c' }
    const body = {
      ...listOffsetsRequestDefaults(),
      topics: named.map(name => ({ ...listOffsetsTopicDefaults(), name })),
    }
    return new Exchange(client, describeApi(ApiKey.ListOffsets)!, header, body, named.length)
  }
  const ask = async (exchange: Exchange): Promise<RequestOutcome> =>
    handlerOf(ApiKey.ListOffsets, 5).request!(exchange.request, exchange)

  test('A-11: others are asked for after every decision whether it is their turn', async () => {
    let pauses = 0
    onPause = () => void pauses++
    policy = plainPolicy([everything], 1)
    assert.equal((await ask(listOffsets())).kind, 'forward')
    assert.equal(pauses, named.length)
  })

  test('B-32: a policy that changes meanwhile is the one that judges it', async () => {
    let pauses = 0
    policy = plainPolicy([everything], 1)
    onPause = () => {
      if (++pauses === 5) policy = plainPolicy([], 2)
    }
    const outcome = (await ask(listOffsets())) as Extract<RequestOutcome, { kind: 'respond' }>
    const errors = (outcome.response as ListOffsetsResponse).topics.map(({ name }) => name)
    assert.deepEqual([outcome.kind, errors], ['respond', named])
  })

  test('B-32: so it is where policies change without end', async () => {
    let generation = 1
    policy = plainPolicy([everything], generation)
    onPause = () => {
      policy = plainPolicy([], ++generation)
    }
    const outcome = await ask(listOffsets())
    assert.equal(outcome.kind, 'respond')
    assert.ok(generation < 100, `${generation} policies`)
  })

  test('a decision that can no longer be written down is not taken', async () => {
    policy = plainPolicy([everything], 1)
    onPause = () => {
      mayDecide = false
    }
    try {
      assert.equal((await ask(listOffsets())).kind, 'close')
    } finally {
      mayDecide = true
    }
  })

  test('an answer is decided ahead, too, by the policy that is in force when it leaves', async () => {
    const header = { apiKey: ApiKey.Metadata, apiVersion: 9, correlationId: 1, clientId: 'c' }
    const request = { ...metadataRequestDefaults(), topics: named.map(name => ({ name, topicId: zeroUuid })) }
    const exchange = new Exchange(client, describeApi(ApiKey.Metadata)!, header, request)
    exchange.response = {
      ...metadataResponseDefaults(),
      topics: named.map(name => ({ ...metadataResponseTopicDefaults(), name })),
    }
    exchange.responseItems = named.length
    let pauses = 0
    policy = plainPolicy([everything], 1)
    onPause = () => {
      if (++pauses === 5) policy = plainPolicy(['p, *, topic, t1, describe, allow'], 2)
    }
    const outcome = (await handlerOf(ApiKey.Metadata, 9).response!(exchange.response, exchange)) as ResponseOutcome
    assert.deepEqual(outcome, { kind: 'forward', changed: true })
    const { topics: left } = exchange.response as { topics: { name: string; errorCode: number }[] }
    assert.deepEqual(
      left.filter(({ errorCode }) => errorCode !== ErrorCode.TOPIC_AUTHORIZATION_FAILED).map(({ name }) => name),
      ['t1'],
    )
    assert.ok(pauses > named.length, `${pauses} pauses`)
  })
})
