// Asks one question of every contestant, round after round.
import { inspect } from 'node:util'
import type { Contestant } from './contestants.ts'
import type { ProxyProcess } from './proxy-process.ts'
import type { Row, Sample, Target } from './row.ts'
import type { Testbed } from './testbed.ts'

export interface RunOptions {
  readonly testbed: Testbed
  readonly contestants: readonly Contestant[]
  readonly log: (line: string) => void
}

interface Entrant {
  readonly name: string
  /** Runs `work` against a target that has warmed up. */
  measure(row: Row): Promise<Sample>
  stop(): Promise<void>
}

export interface RowOutcome {
  readonly samples: ReadonlyMap<string, readonly Sample[]>
  /** Who could not answer, and why: such a contestant has no figures in this row, and the others go on. */
  readonly failures: ReadonlyMap<string, unknown>
}

export async function runRow(row: Row, options: RunOptions): Promise<RowOutcome> {
  const { testbed, log } = options
  await row.prepare?.(testbed)
  const entrants = enter(row, options)
  const samples = new Map<string, Sample[]>(entrants.map(({ name }) => [name, []]))
  const failures = new Map<string, unknown>()
  try {
    for (let round = 0; round < testbed.scale.rounds * (row.roundsFactor ?? 1); round++) {
      const order = round % 2 === 0 ? entrants : entrants.toReversed()
      for (const entrant of order.filter(({ name }) => !failures.has(name))) {
        try {
          const sample = await entrant.measure(row)
          samples.get(entrant.name)!.push(sample)
          log(`${row.id} round ${round + 1} ${entrant.name} ${printed(sample)}`)
        } catch (error) {
          failures.set(entrant.name, error)
          samples.delete(entrant.name)
          log(`${row.id} round ${round + 1} ${entrant.name} failed: ${inspect(error)}`)
        }
      }
    }
  } finally {
    await Promise.all(entrants.map(entrant => entrant.stop()))
  }
  return { samples, failures }
}

function enter(row: Row, { testbed, contestants }: RunOptions): Entrant[] {
  const create = row.process === 'fresh' ? freshProxy : keptProxy
  const proxies = contestants.map(contestant =>
    create(() => testbed.startProxy(contestant, row), contestant.name, testbed),
  )
  return row.includesDirect ? [direct(testbed), ...proxies] : proxies
}

function direct(testbed: Testbed): Entrant {
  const target: Target = { name: 'direct', endpoint: testbed.direct, pid: undefined, testbed }
  let warm = false
  return {
    name: 'direct',
    async measure(row) {
      if (!warm) await row.warmUp?.(target)
      warm = true
      return row.measure(target)
    },
    stop: async () => {},
  }
}

type Start = () => Promise<ProxyProcess>

/** One process for all rounds, warmed up before the first. */
function keptProxy(start: Start, name: string, testbed: Testbed): Entrant {
  let proxy: ProxyProcess | undefined
  return {
    name,
    async measure(row) {
      const cold = proxy === undefined
      proxy ??= await start()
      return measured(row, proxy, testbed, cold)
    },
    stop: async () => proxy?.stop(),
  }
}

/** A new process for every measurement. */
function freshProxy(start: Start, name: string, testbed: Testbed): Entrant {
  return {
    name,
    async measure(row) {
      const proxy = await start()
      try {
        return await measured(row, proxy, testbed, true)
      } finally {
        await proxy.stop()
      }
    },
    stop: async () => {},
  }
}

function measured(row: Row, proxy: ProxyProcess, testbed: Testbed, cold: boolean): Promise<Sample> {
  const { name, endpoint, pid } = proxy
  const target: Target = { name, endpoint, pid, testbed }
  return proxy.during(async () => {
    if (cold) await row.warmUp?.(target)
    return row.measure(target)
  })
}

function printed(sample: Sample): string {
  return Object.entries(sample)
    .map(([id, value]) => `${id} ${value.toPrecision(4)}`)
    .join(' ')
}
