import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topic } from '../../src/acl/rights.ts'
import { createDecisionLog, DecisionCounts } from '../../src/gateway/decisions.ts'
import { type Client, Exchange } from '../../src/pipeline/exchange.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { describeApi } from '../../src/protocol/api-table.ts'
import { AuditLog } from '../../src/telemetry/audit-log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'

const client: Client = Object.freeze({
  connection: 1,
  listener: 'l',
  address: '10.0.0.1:1',
  ip: '10.0.0.1',
  principal: 'User:alice',
  nodeId: undefined,
})

function recordOf(name: string, clientId: string): { resource: string; clientId: string } {
  const lines: string[] = []
  const audit = new AuditLog({
    destination: { dropped: 0, flushed: async () => undefined, write: line => void lines.push(line) },
    now: () => 0,
  })
  const counts = new DecisionCounts(new Metrics({ apiName: () => undefined, processMetrics: false }))
  const log = createDecisionLog({ cluster: 'c', counts, audit, auditsAllows: false })
  const header = { apiKey: ApiKey.Metadata, apiVersion: 8, correlationId: 1, clientId }
  log.decided({
    exchange: new Exchange(client, describeApi(ApiKey.Metadata)!, header, {}),
    right: topic.describe,
    name,
    verdict: { allowed: false, why: 'default' },
    generation: 1,
    isEnforced: true,
  })
  return JSON.parse(lines[0]!)
}

test('names of usual length are written down whole', () => {
  const { resource, clientId } = recordOf('n'.repeat(1_024), 'c'.repeat(1_024))
  assert.deepEqual([resource.length, clientId.length], [1_024, 1_024])
})

test('A-11: of a name of 32 KB the begin and the length are written down', () => {
  const { resource, clientId } = recordOf('n'.repeat(32_000), 'c'.repeat(32_000))
  assert.equal(resource, `${'n'.repeat(1_024)}… (32000 characters)`)
  assert.equal(clientId, `${'c'.repeat(1_024)}… (32000 characters)`)
})
