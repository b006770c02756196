/**
 * V8 sizes its young generation for programs that make small objects. A gateway makes 16 KiB buffers that live for a
 * millisecond: with the default, V8 collects the whole heap for every 24 MiB that pass (half of all CPU time). The size can be
 * set on Node's command line alone, so `start` runs the gateway in a child process that has it there, hands signals on,
 * and ends as the child ends. Whoever sets a size on the command line gets no child.
 *
 * Pretenuring is off: V8 looks at what survives while a process warms up, and may decide for good that some of what a
 * request makes is to be made old. Each such object dies at once and keeps its request's buffers until a whole collection:
 * in four processes of ten every third collection was one, and a produced byte cost up to twice as much.
 *
 * The old generation has room from the beginning: V8 counts buffers that no collection has looked at yet (up to 32 MiB, twice
 * its largest young generation) as old, and lets a small heap grow by 8 MiB only. Without room a GiB consumed under
 * 10,000 rules brought up to twelve collections of the whole heap, which left it as it was.
 *
 * Much is inlined: a request runs through many small functions once, beside neighbours that drive them out of the
 * processor's caches, and what V8 sees whole makes fewer objects on its way. A small request cost 4 % less.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { ExitCode } from './command.ts'
import { handedOn } from './handed-on-signals.ts'

/** One thread collects: the helpers' waiting costs more processor time than such small heaps have work for. */
const tuning = [
  '--min-semi-space-size=16',
  '--max-semi-space-size=16',
  '--single-threaded-gc',
  '--no-allocation-site-pretenuring',
  '--initial-old-space-size=256',
  '--max-inlined-bytecode-size=1000',
  '--max-inlined-bytecode-size-cumulative=6000',
  '--reserve-inline-budget-scale-factor=4',
]

/** Does this process have a young generation that somebody chose? */
export function isTuned(execArgv: readonly string[]): boolean {
  return execArgv.some(flag => flag.includes('semi-space-size') || flag.includes('semi_space_size'))
}

/** Runs this program again, tuned, and resolves with its exit code. */
export function runTuned(program: string, args: readonly string[]): Promise<ExitCode> {
  const child = fork(program, args, {
    execArgv: [...process.execArgv, ...tuning],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Never detached: a session of its own is a group of its own to Linux's scheduler, which then wakes the gateway for
    // every few bytes beside busy neighbours. A GiB produced cost 40 % more.
  })
  const handOn = handedOn.map(signal => ({ signal, listener: () => tell(child, signal) }))
  for (const { signal, listener } of handOn) process.on(signal, listener)
  return ended(child).finally(() => {
    for (const { signal, listener } of handOn) process.off(signal, listener)
  })
}

/** By message, and not by kill: whoever signals all of a group or of a service has told the child already. */
function tell(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.connected) child.send(signal, () => undefined)
}

/** In the child: no gateway outlives the process that people know of. */
export function endWithParent(): void {
  if (process.channel === undefined) return
  process.once('disconnect', () => process.exit(ExitCode.failed))
  process.channel.unref()
}

function ended(child: ChildProcess): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    // A child that a signal ended has failed, whatever the signal.
    child.once('exit', code => resolve(Object.values(ExitCode).find(known => known === code) ?? ExitCode.failed))
  })
}
