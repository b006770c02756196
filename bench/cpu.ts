// What a process and its descendants have cost, from the system's own accounting.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'

const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100

interface Stat {
  readonly parent: number
  readonly ticks: number
}

function readStat(pid: number): Stat | undefined {
  const text = readProc(pid, 'stat')
  if (text === undefined) return undefined
  // The name, in parentheses, may hold anything: count fields from behind it. The first is field 3, the state.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  // Own time and that of children already reaped; all threads, dead ones too.
  const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0)
  return { parent: fields[1]!, ticks }
}

/** Processes end while we look: what is gone is undefined, anything else is an error. */
function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

/** The process and all that descend from it. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined
    if (stat !== undefined) parents.set(Number(name), stat.parent)
  }
  const tree = [root]
  for (const pid of tree) {
    for (const [child, parent] of parents) if (parent === pid) tree.push(child)
  }
  return tree
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

export function cpuSeconds(root: number): number {
  return sum(processTree(root).map(pid => readStat(pid)?.ticks ?? 0)) / ticksPerSecond
}

/** Runs `work` and gives what the process spent meanwhile. */
export async function cpuSpent<T>(root: number, work: () => Promise<T>): Promise<{ seconds: number; result: T }> {
  const before = cpuSeconds(root)
  const result = await work()
  return { seconds: cpuSeconds(root) - before, result }
}

/** What the whole machine has spent, the hypervisor's other guests included. */
export function machineCpuSeconds(): number {
  const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.trim().split(/\s+/)
  // user, nice, system, idle, iowait, irq, softirq, steal; guest times are in user already.
  const busy = fields.slice(0, 8).filter((_, index) => index !== 3 && index !== 4)
  return sum(busy.map(Number)) / ticksPerSecond
}

export function residentBytes(root: number): number {
  // smaps_rollup is exact; statm and status lag by what each core has not yet added up.
  return sum(processTree(root).map(pid => kilobytes(pid, 'smaps_rollup', 'Rss') * 1024))
}

export function peakResidentBytes(root: number): number {
  return sum(processTree(root).map(pid => kilobytes(pid, 'status', 'VmHWM') * 1024))
}

export function resetPeak(root: number): void {
  for (const pid of processTree(root)) writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** Open sockets of the process tree. */
export function socketCount(root: number): number {
  const isSocket = (pid: number, fd: string) => readlink(`/proc/${pid}/fd/${fd}`).startsWith('socket:')
  return sum(processTree(root).map(pid => readdirSync(`/proc/${pid}/fd`).filter(fd => isSocket(pid, fd)).length))
}

function readlink(path: string): string {
  try {
    return readlinkSync(path)
  } catch (error) {
    // Closed since the folder was read.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

function kilobytes(pid: number, file: string, field: string): number {
  const value = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readProc(pid, file) ?? '')?.[1]
  return Number(value ?? 0)
}
