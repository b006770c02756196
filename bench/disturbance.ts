// Did the machine do anything else meanwhile? Ratios bear some of it; latencies bear none.
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { cpuSeconds, machineCpuSeconds } from './cpu.ts'

/** Share of all processors above which a run tells of its neighbours rather than of the contestants. */
export const disturbanceMax = 0.1

/** From now on; call what is returned for the share of all processors that went to neither us nor our children. */
export function watchNeighbours(): () => number {
  const start = { at: performance.now(), machine: machineCpuSeconds(), own: cpuSeconds(process.pid) }
  return () => {
    const seconds = (performance.now() - start.at) / 1_000
    const others = machineCpuSeconds() - start.machine - (cpuSeconds(process.pid) - start.own)
    return Math.max(0, others / seconds / availableParallelism())
  }
}
