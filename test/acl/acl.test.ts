/** The stage itself: which policy a request is judged by, and what becomes of a request that has no row. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { createAcl, enforcements } from '../../src/acl/acl.ts'
import type { DecisionEvent } from '../../src/acl/judge.ts'
import type { Policy } from '../../src/acl/policy/policy.ts'
import { type Client, Exchange } from '../../src/pipeline/exchange.ts'
import type { ApiHandler, RequestOutcome } from '../../src/pipeline/stage.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { describeApi } from '../../src/protocol/api-table.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import {
  listOffsetsRequestDefaults,
  listOffsetsTopicDefaults,
} from '../../src/protocol/generated/list-offsets-request.ts'
import {
  offsetCommitRequestDefaults,
  offsetCommitRequestPartitionDefaults,
} from '../../src/protocol/generated/offset-commit-request.ts'
import type { OffsetCommitResponse } from '../../src/protocol/generated/offset-commit-response.ts'
import { TopicCatalog } from '../../src/topology/topic-catalog.ts'
import { plainPolicy } from '../support/plain-policy.ts'

const client: Client = Object.freeze({
  connection: 1,
  listener: 'l',
  address: '10.0.0.1:1',
  ip: '10.0.0.1',
  principal: 'User:alice',
  nodeId: undefined,
})
const group = 'p, User:alice, group, g, read, allow'
const orders = 'p, User:alice, topic, orders, read, allow'

function commit(): Exchange {
  const header = { apiKey: ApiKey.OffsetCommit, apiVersion: 10, correlationId: 1, clientId: 'c' }
  const partitions = [offsetCommitRequestPartitionDefaults()]
  return new Exchange(client, describeApi(ApiKey.OffsetCommit)!, header, {
    ...offsetCommitRequestDefaults(),
    groupId: 'g',
    topics: [{ name: '', topicId: 'A', partitions }],
  })
}

describe('the stage of policies', () => {
  let policy: Policy
  let shadow: Policy | undefined
  let events: DecisionEvent[]
  let differences: string[]
  /** The cluster answers what the id means once this is called. */
  let answerName: () => void

  const handlerOf = (key: number, { isEnforcing = true } = {}): ApiHandler => {
    const named = new Promise<void>(resolve => {
      answerName = resolve
    })
    const topics = new TopicCatalog({
      now: () => 0,
      questions: {
        byId: async () => {
          await named
          return [{ name: 'orders', topicId: 'A' }]
        },
        byName: async () => [],
        all: async () => [],
      },
    })
    return createAcl({
      rows: enforcements({ topics, autoCreatesTopics: () => false, refuses: () => false }),
      policies: () => ({ inForce: policy, shadow }),
      isEnforcing,
      log: {
        decided: event => void events.push(event),
        filtered: () => undefined,
        differed: ({ name, shadow: { allowed } }) => void differences.push(`${name} ${allowed}`),
      },
    }).handler(key, 10)!
  }

  beforeEach(() => {
    events = []
    differences = []
    shadow = undefined
  })

  test('B-32: a request that was waiting while the policy changed is judged by the one it began with', async () => {
    policy = plainPolicy([group, orders], 1)
    const exchange = commit()
    const outcome = handlerOf(ApiKey.OffsetCommit).request!(exchange.request, exchange)
    policy = plainPolicy([group], 2)
    answerName()
    assert.deepEqual(await outcome, { kind: 'forward', changed: false })
    assert.deepEqual(
      events.map(({ right, generation }) => [right.type, generation]),
      [
        ['group', 1],
        ['topic', 1],
      ],
    )
  })

  test('B-32: the next request is judged by the new one', async () => {
    policy = plainPolicy([group], 2)
    const exchange = commit()
    const outcome = handlerOf(ApiKey.OffsetCommit).request!(exchange.request, exchange)
    answerName()
    const { kind, response } = (await outcome) as Extract<RequestOutcome, { kind: 'respond' }>
    assert.equal(kind, 'respond')
    const { topics } = response as OffsetCommitResponse
    assert.equal(topics[0]?.partitions[0]?.errorCode, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  })

  test('in audit mode a denial passes and is noted as one that was not enforced', async () => {
    policy = plainPolicy([], 1)
    const exchange = commit()
    const outcome = handlerOf(ApiKey.OffsetCommit, { isEnforcing: false }).request!(exchange.request, exchange)
    answerName()
    assert.deepEqual(await outcome, { kind: 'forward', changed: false })
    assert.deepEqual(
      events.map(({ verdict, isEnforced }) => [verdict.allowed, isEnforced]),
      [
        [false, false],
        [false, false],
      ],
    )
  })

  test('shadow rules decide nothing, and where they differ is told', async () => {
    policy = plainPolicy([group, orders], 1)
    shadow = plainPolicy([group], 1)
    const exchange = commit()
    const outcome = handlerOf(ApiKey.OffsetCommit).request!(exchange.request, exchange)
    answerName()
    assert.deepEqual(await outcome, { kind: 'forward', changed: false })
    assert.deepEqual(differences, ['orders false'])
  })

  test('a request that names a topic twice tells once where shadow rules differ', () => {
    policy = plainPolicy(['p, *, topic, orders, describe, allow'], 1)
    shadow = plainPolicy([], 1)
    const header = { apiKey: ApiKey.ListOffsets, apiVersion: 5, correlationId: 1, clientId: 'c' }
    const topics = ['orders', 'orders'].map(name => ({ ...listOffsetsTopicDefaults(), name }))
    const body = { ...listOffsetsRequestDefaults(), topics }
    const exchange = new Exchange(client, describeApi(ApiKey.ListOffsets)!, header, body)
    assert.deepEqual(handlerOf(ApiKey.ListOffsets).request!(body, exchange), { kind: 'forward', changed: false })
    assert.deepEqual(differences, ['orders false'])
  })

  test('B-00: what has no row is closed', () => {
    const { request } = handlerOf(ApiKey.Vote)
    const exchange = commit()
    assert.equal((request!({}, exchange) as RequestOutcome).kind, 'close')
  })
})
