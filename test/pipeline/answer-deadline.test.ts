import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { answerTimeoutMs } from '../../src/pipeline/answer-deadline.ts'
import { Exchange } from '../../src/pipeline/exchange.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { describeApi } from '../../src/protocol/api-table.ts'

function timeout(key: number, request: object): number {
  return answerTimeoutMs(new Exchange({} as never, describeApi(key)!, {} as never, request))
}

describe('how long a broker may take', () => {
  test('is what the request says and a margin', () => {
    assert.equal(timeout(ApiKey.Produce, { timeoutMs: 30_000 }), 90_000)
    assert.equal(timeout(ApiKey.Fetch, { maxWaitMs: 500 }), 60_500)
    assert.equal(timeout(ApiKey.CreateTopics, { timeoutMs: 0 }), 60_000)
  })

  test('is for ever where the request names no time, names none below zero, or waits for a group', () => {
    assert.equal(timeout(ApiKey.Metadata, {}), Number.POSITIVE_INFINITY)
    assert.equal(timeout(ApiKey.Produce, { timeoutMs: -1 }), Number.POSITIVE_INFINITY)
    assert.equal(timeout(ApiKey.JoinGroup, { sessionTimeoutMs: 10, rebalanceTimeoutMs: 10 }), Number.POSITIVE_INFINITY)
    assert.equal(timeout(ApiKey.ConsumerGroupHeartbeat, { rebalanceTimeoutMs: 10 }), Number.POSITIVE_INFINITY)
  })
})
