/**
 * Signals of a gateway that runs in a child process: people and supervisors signal the parent, which hands them on, or both
 * at once.
 */
import { EventEmitter } from 'node:events'
import { ExitCode } from './command.ts'

export const handedOn = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/** Where a gateway hears signals: of the process, and in a child those that its parent hands on. */
export function signalsHere(): EventEmitter {
  if (process.channel === undefined) return process
  const signals = new TwoWaySignals({
    now: () => performance.now(),
    unheard: signal => {
      if (signal !== 'SIGHUP') process.exit(ExitCode.failed)
    },
  })
  for (const signal of handedOn) process.on(signal, () => signals.hear(signal, 'directly'))
  process.on('message', message => {
    const signal = handedOn.find(known => known === message)
    if (signal !== undefined) signals.hear(signal, 'from the parent')
  })
  return signals
}

type Way = 'directly' | 'from the parent'

/**
 * A terminal and systemd signal parent and child at once: what then comes the other way, too, is the same signal, however
 * late a busy process hears it. Who signals again is heard the same way again.
 */
export class TwoWaySignals extends EventEmitter {
  readonly #now: () => number
  readonly #unheard: (signal: NodeJS.Signals) => void
  readonly #heard = new Map<NodeJS.Signals, Record<Way | 'emitted', number> & { lastMs: number }>()

  /** `unheard`: nobody listens, for the gateway is still being started. */
  constructor(options: { readonly now: () => number; readonly unheard: (signal: NodeJS.Signals) => void }) {
    super()
    this.#now = options.now
    this.#unheard = options.unheard
  }

  hear(signal: NodeJS.Signals, way: Way): void {
    const known = this.#heard.get(signal)
    const isOver = known === undefined || this.#now() - known.lastMs > forgottenAfterMs
    const heard = isOver ? { directly: 0, 'from the parent': 0, emitted: 0, lastMs: 0 } : known
    this.#heard.set(signal, heard)
    heard.lastMs = this.#now()
    heard[way]++
    if (heard[way] <= heard.emitted) return
    heard.emitted++
    if (!this.emit(signal, signal)) this.#unheard(signal)
  }
}

const forgottenAfterMs = 10_000
