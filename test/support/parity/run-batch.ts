/** Asks both sides the same, in the same order, and gathers where the answers differ. */
import { isDeepStrictEqual } from 'node:util'
import { ApiKey, apiName } from '../../../src/protocol/api-key.ts'
import type { RequestByKey } from '../../../src/protocol/codec.ts'
import { changesOf } from './changes.ts'
import { completeBody } from './complete-body.ts'
import type { Outcome } from './connection.ts'
import { type Deliberate, deliberateOf } from './deliberate.ts'
import { normalised, type Plain, sorted } from './normalise.ts'
import type { Plan } from './plan.ts'
import { settleMetadata, settleShareGroup, settleTopics, settleTransaction } from './settle.ts'
import type { Side } from './side.ts'
import { isUnanswered, type Step } from './step.ts'

export interface Difference {
  readonly batch: number
  readonly step: Step
  readonly request: Plain
  readonly expected: Plain
  readonly got: Plain
}

export interface BatchReport {
  readonly items: number
  readonly requests: number
  readonly differences: readonly Difference[]
  /** Differences that SECURITY.md explains, by its lines. */
  readonly deliberate: ReadonlyMap<string, number>
  /** Answers that differ in nothing but the order of their entries, by API. */
  readonly reordered: ReadonlyMap<string, number>
  /** How often an outcome or error code came, for a look at what the run reached. */
  readonly outcomes: ReadonlyMap<string, number>
}

export interface BatchOptions {
  readonly plan: Plan
  readonly expected: Side
  readonly tested: Side
  readonly autoCreates: boolean
  readonly onStep?: (
    step: Step,
    asked: { readonly request: Plain; readonly answer: Plain; readonly ms: number },
  ) => void
}

/** Answers that change what later answers are made of. */
const changesMetadata: ReadonlySet<ApiKey> = new Set<ApiKey>([
  ApiKey.CreateTopics,
  ApiKey.DeleteTopics,
  ApiKey.CreatePartitions,
  ApiKey.ElectLeaders,
  ApiKey.AlterPartitionReassignments,
  ApiKey.AlterConfigs,
  ApiKey.IncrementalAlterConfigs,
  ApiKey.CreateAcls,
  ApiKey.DeleteAcls,
  ApiKey.AlterClientQuotas,
  ApiKey.AlterUserScramCredentials,
])

export async function runBatch({ plan, expected, tested, autoCreates, onStep }: BatchOptions): Promise<BatchReport> {
  const sides = [expected, tested] as const
  const differences: Difference[] = []
  const [reordered, outcomes, deliberate] = [new Map(), new Map(), new Map()] as Map<string, number>[]
  let [items, requests] = [0, 0]
  for (const talk of plan.talks) {
    for (const step of talk) {
      const started = performance.now()
      const [first, second] = await Promise.all(sides.map(side => perform(side, step)))
      onStep?.(step, { ...first!, ms: performance.now() - started })
      items += step.items
      requests++
      for (const code of codesIn(first!.answer)) count(outcomes!, `${apiName(step.key)} ${code}`)
      await settle(sides, step, first!.body, autoCreates)
      if (isDeepStrictEqual(first!.answer, second!.answer)) continue
      if (isDeepStrictEqual(sorted(first!.answer), sorted(second!.answer))) {
        count(reordered!, apiName(step.key))
        continue
      }
      const { request, answer } = first!
      const difference = { batch: plan.batch, step, request, expected: answer, got: second!.answer }
      const meant = explained(difference, plan.acls)
      if (meant === undefined) differences.push(difference)
      for (const securityLine of new Set(meant?.map(line => line.securityLine))) count(deliberate!, securityLine)
      for (const { undo } of meant ?? []) await undo?.(sides, first!.body)
      if (meant?.some(({ decidesAll }) => decidesAll)) break
    }
  }
  return { items, requests, differences, deliberate: deliberate!, reordered: reordered!, outcomes: outcomes! }
}

/** The lines that every place of a difference is meant by; undefined where one is meant by none. */
function explained({ step, request, expected, got }: Difference, acls: Plan['acls']): Deliberate[] | undefined {
  const changes = changesOf(expected, got)
  const lines = changes.map(change => deliberateOf({ step, request, acls, change, got }))
  const meant = [...new Set(lines.filter(line => line !== undefined))]
  if (meant.some(({ decidesAll }) => decidesAll)) return meant
  return changes.length > 0 && !lines.includes(undefined) ? meant : undefined
}

interface Performed {
  readonly body: RequestByKey[ApiKey]
  readonly request: Plain
  readonly answer: Plain
}

async function perform(side: Side, step: Step): Promise<Performed> {
  const { key, version } = step
  const body = completeBody(key, version, step.body(side))
  const connection = await side.connection(step)
  const ask = { key, version, body }
  const outcome: Outcome = isUnanswered(key, body) ? await connection.tell(ask) : await connection.ask(ask)
  // A broker that owes an answer looks at nothing that comes after.
  if (outcome.kind === 'silent') connection.close()
  if (outcome.kind !== 'answered') return { body, request: normalised(key, body, side), answer: outcome.kind }
  side.learn(key, body, outcome.response)
  step.learn?.(side, outcome.response)
  return { body, request: normalised(key, body, side), answer: normalised(key, outcome.response, side) }
}

async function settle(
  sides: readonly Side[],
  { key }: Step,
  body: RequestByKey[ApiKey],
  autoCreates: boolean,
): Promise<void> {
  if (key === ApiKey.StreamsGroupHeartbeat || (key === ApiKey.Metadata && autoCreates)) return settleTopics(sides)
  if (changesMetadata.has(key)) {
    await Promise.all(sides.map(settleMetadata))
    await Promise.all(sides.map(side => side.lookAround()))
  } else if (key === ApiKey.ShareGroupHeartbeat) {
    const { memberEpoch } = body as RequestByKey[typeof ApiKey.ShareGroupHeartbeat]
    if (memberEpoch === 0) await settleShareGroup()
  } else if (key === ApiKey.InitProducerId || key === ApiKey.EndTxn) {
    const { transactionalId } = body as RequestByKey[typeof ApiKey.InitProducerId]
    if (transactionalId !== null) await Promise.all(sides.map(side => settleTransaction(side, transactionalId)))
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function codesIn(answer: Plain): Set<string> {
  if (typeof answer === 'string') return new Set([answer])
  const codes = [...JSON.stringify(answer).matchAll(/rrorCode":(-?\d+)/g)].map(([, code]) => code!)
  return new Set(codes)
}
