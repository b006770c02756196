// What a question of the benchmark looks like. One file per question holds one Row.
import type { Endpoint } from './connection.ts'
import type { Testbed } from './testbed.ts'

/** Who answers the question this time: the broker's own TLS listener (direct), or a proxy with a process to account for. */
export interface Target {
  readonly name: string
  readonly endpoint: Endpoint
  /** Undefined where there is no proxy. */
  readonly pid: number | undefined
  readonly testbed: Testbed
}

export interface ProxyTarget extends Target {
  readonly pid: number
}

/** What vkitm's median must not exceed: as a multiple of HAProxy's, as an addition to direct's, or by itself. */
export interface Goal {
  readonly against: 'HAProxy' | 'direct' | 'nothing'
  readonly max: number
}

export interface Figure {
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly digits: number
  readonly goal?: Goal
  /** Measured by the clock: worthless where other programs held the processors. */
  readonly clock?: true
}

/** By figure id. A figure that makes no sense for a target (the proxy's CPU of direct) is left out. */
export type Sample = Readonly<Record<string, number>>

export interface Row {
  readonly id: string
  readonly figures: readonly Figure[]
  /** Memory is measured on a process of its own each time; CPU on one that has warmed up. */
  readonly process: 'fresh' | 'kept'
  readonly includesDirect: boolean
  /** Rounds beyond the run's own, for figures that need more of them. */
  readonly roundsFactor?: number
  /** `limits` that vkitm runs with; none: its defaults. */
  readonly limits?: Readonly<Record<string, number>>
  /** Rules of the policy that vkitm runs with; none: `policy: none`. */
  readonly rules?: number
  prepare?(testbed: Testbed): Promise<void>
  warmUp?(target: Target): Promise<void>
  measure(target: Target): Promise<Sample>
}

/** Does what will be measured, as often as the scale says. */
export async function warmUp({ testbed }: Target, work: () => Promise<unknown>): Promise<void> {
  for (let at = 0; at < testbed.scale.warmUps; at++) await work()
}

export function requireProxy(target: Target): ProxyTarget {
  if (target.pid === undefined) throw new Error(`${target.name} has no process to measure`)
  return { ...target, pid: target.pid }
}
