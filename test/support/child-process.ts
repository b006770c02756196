// Programs that a test starts. They end with the test, however it ends.
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { platform } from 'node:os'

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

// Linux can tie a child's life to ours even where we are killed with -9; `setpriv` execs, so the pid is the program's own.
const tied = platform() === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0
const leash = tied ? ['setpriv', '--pdeathsig', 'KILL'] : []

export function start(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const [program = command, ...rest] = [...leash, command, ...args]
  const child = spawn(program, rest, options)
  running.add(child)
  child.once('exit', () => running.delete(child))
  child.once('error', () => running.delete(child))
  return child
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** Sends `signal` and resolves when the process is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (hasEnded(child)) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
  /** The process is killed and the call fails after so many milliseconds. */
  readonly timeoutMs?: number
  /** Called with each line of standard output as it appears. */
  readonly onLine?: (line: string) => void
}

/** Runs a program to its end and gives what it printed, whatever its exit code. */
export async function finish(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { cwd, env = process.env, input = '', timeoutMs = 120_000, onLine } = options
  const child = start(command, args, { ...(cwd === undefined ? {} : { cwd }), env, stdio: 'pipe' })
  const output = { stdout: '', stderr: '' }
  let unread = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
    if (onLine === undefined) return
    const lines = (unread + text).split('\n')
    unread = lines.pop() ?? ''
    lines.forEach(onLine)
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  // A program that ends without reading its input is judged by its exit code.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, timeoutMs)
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    if (late) throw new Error(`${command} took longer than ${timeoutMs} ms\n${tail(output.stderr)}`)
    return { code, signal, ...output }
  } finally {
    clearTimeout(timer)
  }
}

/** Like `finish`, but anything other than exit code 0 throws with what the program said. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const finished = await finish(command, args, options)
  if (finished.code === 0) return finished
  const how = finished.signal ?? `exit code ${finished.code}`
  throw new Error(`${command} ended with ${how}\n${tail(finished.stdout)}\n${tail(finished.stderr)}`)
}

function tail(text: string): string {
  return text.trim().split('\n').slice(-30).join('\n')
}
