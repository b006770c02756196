/** Asks both sides the same, in the same order, and gathers where the answers differ. */
import { isDeepStrictEqual } from 'node:util'
import { ApiKey, apiName } from '../../../src/protocol/api-key.ts'
import type { RequestByKey } from '../../../src/protocol/codec.ts'
import { completeBody } from './complete-body.ts'
import type { Outcome } from './connection.ts'
import { normalised, type Plain, sorted } from './normalise.ts'
import type { Plan } from './plan.ts'
import { settleMetadata, settleTopics, settleTransaction } from './settle.ts'
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
  const [reordered, outcomes] = [new Map<string, number>(), new Map<string, number>()]
  let [items, requests] = [0, 0]
  for (const step of plan.talks.flat()) {
    const started = performance.now()
    const [first, second] = await Promise.all(sides.map(side => perform(side, step)))
    onStep?.(step, { ...first!, ms: performance.now() - started })
    items += step.items
    requests++
    for (const code of codesIn(first!.answer)) count(outcomes, `${apiName(step.key)} ${code}`)
    if (!isDeepStrictEqual(sorted(first!.answer), sorted(second!.answer))) {
      const { request, answer } = first!
      differences.push({ batch: plan.batch, step, request, expected: answer, got: second!.answer })
    } else if (!isDeepStrictEqual(first!.answer, second!.answer)) {
      count(reordered, apiName(step.key))
    }
    await settle(sides, step, first!.body, autoCreates)
  }
  return { items, requests, differences, reordered, outcomes }
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
