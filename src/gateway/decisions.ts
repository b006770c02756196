/** What becomes of every decision: a count, and a record where it denies. */
import type { DecisionEvent, DecisionLog } from '../acl/judge.ts'
import type { ResourceType } from '../acl/policy/policy.ts'
import type { Right } from '../acl/rights.ts'
import { clientIdOf, type Exchange } from '../pipeline/exchange.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import { apiName } from '../protocol/api-key.ts'
import type { AuditLog, AuditRecord } from '../telemetry/audit-log.ts'
import type { Metrics } from '../telemetry/metrics.ts'

const outcomes = ['allowed', 'denied', 'wouldDeny', 'hidden', 'shadowAllows', 'shadowDenies'] as const
type Outcome = (typeof outcomes)[number]
const outcomeCode = Object.fromEntries(outcomes.map((outcome, code) => [outcome, code])) as Record<Outcome, number>

const types: readonly ResourceType[] = ['topic', 'group', 'transactionalId', 'cluster', 'delegationToken', 'user']
const typeCode = Object.fromEntries(types.map((type, code) => [type, code])) as Record<ResourceType, number>

const apiRows = 128

/** Decisions of the whole process, by API, type of resource and outcome. */
export class DecisionCounts {
  readonly #counts = new Float64Array(apiRows * types.length * outcomes.length)

  constructor(metrics: Metrics) {
    metrics.counters('vkitm_decisions_total', 'What policies decided', ['api', 'type', 'outcome'], add => {
      this.#counts.forEach((count, index) => {
        if (count === 0) return
        const outcome = outcomes[index % outcomes.length]!
        const row = Math.floor(index / outcomes.length)
        const type = types[row % types.length]!
        add({ api: apiName(Math.floor(row / types.length) as ApiKey), type, outcome }, count)
      })
    })
  }

  add(apiKey: number, type: ResourceType, outcome: Outcome): void {
    this.#counts[(apiKey * types.length + typeCode[type]) * outcomes.length + outcomeCode[outcome]]!++
  }
}

export interface DecisionsOptions {
  readonly cluster: string
  readonly counts: DecisionCounts
  readonly audit: AuditLog
  /** Whether what was allowed is written down, too. */
  readonly auditsAllows: boolean
}

export function createDecisionLog({ cluster, counts, audit, auditsAllows }: DecisionsOptions): DecisionLog {
  return {
    decided(event) {
      const outcome = outcomeOf(event)
      counts.add(event.exchange.api.key, event.right.type, outcome)
      if (outcome !== 'allowed' || auditsAllows) audit.record(recordOf(event, outcome, cluster), event.exchange)
    },
    filtered({ api }: Exchange, { type }: Right, isAllowed: boolean) {
      counts.add(api.key, type, isAllowed ? 'allowed' : 'hidden')
    },
    differed(event) {
      const outcome = event.shadow.allowed ? 'shadowAllows' : 'shadowDenies'
      counts.add(event.exchange.api.key, event.right.type, outcome)
      audit.record(recordOf({ ...event, verdict: event.shadow }, outcome, cluster), event.exchange)
    },
  }
}

function outcomeOf({ verdict, isEnforced }: DecisionEvent): 'allowed' | 'denied' | 'wouldDeny' {
  if (verdict.allowed) return 'allowed'
  return isEnforced ? 'denied' : 'wouldDeny'
}

function recordOf(event: DecisionEvent, outcome: AuditRecord['outcome'], cluster: string): AuditRecord {
  const { exchange, right, name, verdict, generation } = event
  const { client, api, header } = exchange
  return {
    outcome,
    principal: client.principal,
    api: api.name,
    apiVersion: header.apiVersion,
    operation: right.operation,
    resourceType: right.type,
    resource: cut(name),
    rule: verdict.rule === undefined ? undefined : `${verdict.rule.file}:${verdict.rule.line}`,
    why: verdict.why,
    generation,
    cluster,
    listener: client.listener,
    connection: client.connection,
    client: client.address,
    clientId: cut(clientIdOf(header)),
  }
}

/** No topic and no group that somebody means is longer; a client may say 32 KB, thousands of times. */
const charsMax = 1_024

function cut(text: string): string {
  if (text.length <= charsMax) return text
  // A slice keeps the whole text alive.
  const begin = Buffer.from(text.slice(0, charsMax)).toString()
  return `${begin}… (${text.length} characters)`
}
