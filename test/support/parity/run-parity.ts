/** Batch after batch until enough was asked. What is found is reported in full, so that one run shows everything. */
import { ApiKey } from '../../../src/protocol/api-key.ts'
import type { Acl } from './acl.ts'
import { driftOf } from './drift.ts'
import type { Plain } from './normalise.ts'
import { clientVersions, planBatch } from './plan.ts'
import { type BatchOptions, type BatchReport, type Difference, runBatch } from './run-batch.ts'
import type { Offered } from './scripts.ts'
import { clear, prepareSide, seed as seedSide } from './seed.ts'
import type { Side } from './side.ts'

export interface ParityOptions {
  readonly seed: number
  readonly itemsMin: number
  readonly firstBatch?: number
  readonly expected: Side
  readonly tested: Side
  readonly autoCreates: boolean
  /** Brings the rules of a batch into force where a side does not read them from its own cluster. */
  readonly enforce?: (acls: readonly Acl[]) => Promise<void>
  readonly onStep?: BatchOptions['onStep']
  readonly onBatch?: (report: BatchReport & { readonly batch: number; readonly ms: number }) => void
}

export interface Drift {
  readonly batch: number
  readonly part: string
  readonly expected: Plain
  readonly got: Plain
}

export interface ParityReport {
  readonly items: number
  readonly requests: number
  readonly batches: number
  readonly differences: readonly (Difference & { readonly acls: readonly Acl[] })[]
  readonly drifts: readonly Drift[]
  readonly deliberate: ReadonlyMap<string, number>
  readonly reordered: ReadonlyMap<string, number>
  readonly outcomes: ReadonlyMap<string, number>
}

export async function runParity(options: ParityOptions): Promise<ParityReport> {
  const { seed, itemsMin, firstBatch = 0, expected, tested, autoCreates } = options
  const sides = [expected, tested]
  await Promise.all(sides.map(prepareSide))
  const offered = await offeredBy(sides)
  const differences: ParityReport['differences'][number][] = []
  const drifts: Drift[] = []
  const [reordered, outcomes, deliberate] = [new Map(), new Map(), new Map()] as Map<string, number>[]
  let [items, requests, batch] = [0, 0, firstBatch]
  for (; items < itemsMin; batch++) {
    const started = performance.now()
    const plan = planBatch(seed, batch, offered)
    await Promise.all(sides.map(side => seedSide(side, plan.world, plan.acls)))
    await options.enforce?.(plan.acls)
    const { onStep } = options
    const report = await runBatch({ plan, expected, tested, autoCreates, ...(onStep && { onStep }) })
    differences.push(...report.differences.map(difference => ({ ...difference, acls: plan.acls })))
    drifts.push(...(await driftOf(expected, tested)).map(drift => ({ ...drift, batch })))
    for (const side of sides) side.closeClients()
    await Promise.all(sides.map(side => clear(side)))
    items += report.items
    requests += report.requests
    add(reordered!, report.reordered)
    add(outcomes!, report.outcomes)
    add(deliberate!, report.deliberate)
    options.onBatch?.({ ...report, batch, ms: performance.now() - started })
  }
  return {
    items,
    requests,
    batches: batch - firstBatch,
    differences,
    drifts,
    deliberate: deliberate!,
    reordered: reordered!,
    outcomes: outcomes!,
  }
}

/** Versions that both serve; a gateway offers what it and its brokers know. */
async function offeredBy(sides: readonly Side[]): Promise<Offered> {
  const ranges = await Promise.all(sides.map(side => side.versions()))
  const offered = new Map<ApiKey, number[]>()
  for (const key of Object.values(ApiKey)) {
    const versions = clientVersions(key).filter(version =>
      ranges.every(range => {
        const [min, max] = range.get(key) ?? [0, -1]
        return version >= min && version <= max
      }),
    )
    offered.set(key, versions)
  }
  return key => offered.get(key) ?? []
}

function add(sum: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [name, count] of counts) sum.set(name, (sum.get(name) ?? 0) + count)
}
