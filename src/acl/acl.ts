/**
 * The stage that holds every request and every answer against the policy. The table below is the whole of what clients
 * may ask: an API without a row is not served at all.
 */
import type { Exchange } from '../pipeline/exchange.ts'
import {
  type ApiHandler,
  changed,
  changedAndLast,
  closeAfterAnswers,
  type RequestOutcome,
  type ResponseOutcome,
  respond,
  type Stage,
  unchanged,
} from '../pipeline/stage.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { AclFacts, Enforcement, EnforcementOf, Ruling } from './enforcement.ts'
import { enforceFetch } from './fetch.ts'
import { enforceFindCoordinator } from './find-coordinator.ts'
import { type DecisionLog, Judge } from './judge.ts'
import { enforceListGroups } from './list-groups.ts'
import { enforceMetadata } from './metadata.ts'
import { enforceOffsetCommit } from './offset-commit.ts'
import type { Policy } from './policy/policy.ts'
import { enforceProduce } from './produce.ts'

/** Asks for nothing that a policy could deny. */
const free: Enforcement = Object.freeze({})

export function enforcements(facts: AclFacts): ReadonlyMap<number, Enforcement> {
  const rows = new Map<number, Enforcement>()
  const add = <Key extends ApiKey>(key: Key, row: EnforcementOf<Key>): void => void rows.set(key, row as Enforcement)
  rows.set(ApiKey.ApiVersions, free)
  add(ApiKey.Produce, enforceProduce(facts))
  add(ApiKey.Fetch, enforceFetch(facts))
  add(ApiKey.Metadata, enforceMetadata(facts))
  add(ApiKey.FindCoordinator, enforceFindCoordinator())
  add(ApiKey.ListGroups, enforceListGroups())
  add(ApiKey.OffsetCommit, enforceOffsetCommit(facts))
  return rows
}

export interface AclOptions {
  readonly rows: ReadonlyMap<number, Enforcement>
  /** The policy in force, and the one that is tried beside it. */
  readonly policies: () => { readonly inForce: Policy; readonly shadow: Policy | undefined }
  readonly log: DecisionLog
  /** False in audit mode. */
  readonly isEnforcing: boolean
}

export function createAcl({ rows, policies, log, isEnforcing }: AclOptions): Stage {
  const judgeOf = (exchange: Exchange): Judge => {
    const { inForce, shadow } = policies()
    return new Judge({ policy: inForce, shadow, exchange, log, isEnforcing })
  }
  return {
    name: 'acl',
    handler(apiKey) {
      const row = rows.get(apiKey)
      // Not served, so never asked; were it asked, it would end here.
      if (row === undefined) return { request: () => closeAfterAnswers('no row in the policy') }
      return row === free ? undefined : handlerOf(row, judgeOf)
    },
  }
}

function handlerOf(row: Enforcement, judgeOf: (exchange: Exchange) => Judge): ApiHandler {
  return {
    request(body, exchange) {
      if (row.request === undefined) return unchanged
      const ruling = row.request(body, judgeOf(exchange), exchange)
      return ruling instanceof Promise
        ? ruling.then(settled => carryOut(settled, exchange))
        : carryOut(ruling, exchange)
    },
    response(body, exchange) {
      const isChanged = row.response?.(body, judgeOf(exchange), exchange) ?? false
      return isChanged instanceof Promise
        ? isChanged.then(settled => payOwed(settled, exchange))
        : payOwed(isChanged, exchange)
    },
  }
}

function carryOut(ruling: Ruling, exchange: Exchange): RequestOutcome {
  switch (ruling.kind) {
    case 'whole':
      exchange.owed = ruling.merge
      return unchanged
    case 'part':
      exchange.owed = ruling.merge
      return ruling.isLast === true ? changedAndLast : changed
    case 'answer':
      return respond(ruling.response)
    case 'close':
      return closeAfterAnswers(ruling.reason)
  }
}

/** What was denied joins the answer last: it is not judged once more. */
function payOwed(isChanged: boolean, exchange: Exchange): ResponseOutcome {
  if (exchange.owed === undefined) return isChanged ? changed : unchanged
  exchange.owed(exchange.response as never)
  return changed
}
