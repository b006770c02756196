import { totalmem } from 'node:os'

/** What the machine allows this process. */
export interface Machine {
  /** Open files and sockets; Infinity where there is no limit. */
  readonly descriptors: number
  readonly memoryBytes: number
}

export function inspectMachine(): Machine {
  return { descriptors: descriptorLimit(), memoryBytes: memoryLimit() }
}

/** Node itself raises the soft limit to the hard one when it starts. */
function descriptorLimit(): number {
  const { report } = process
  // Without this the report looks up names of network peers, which may take seconds.
  ;(report as { excludeNetwork?: boolean }).excludeNetwork = true
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft: number | string } } }
  const soft = Number(userLimits?.open_files?.soft)
  return Number.isFinite(soft) ? soft : Number.POSITIVE_INFINITY
}

/** A container's limit where there is one; without one the figure is 0 or beyond the machine's. */
function memoryLimit(): number {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
}
