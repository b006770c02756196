/**
 * What a login costs: a failed one a wait, and after ten of one name from one address a minute without any. Only that
 * pair is held up, so that nobody can lock somebody else out. Passwords are hashed few at a time, each address in its turn.
 */

import { Turns } from '../turns.ts'
import { networkOf } from './network-of.ts'

export interface LoginGuardOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** From 0 to 1. */
  readonly random: () => number
  /** Failures answered late, unless a test cannot wait. */
  readonly delayMs?: number
}

const failuresMax = 10
const windowMs = 60_000
const pairsMax = 100_000
/** Longer names are nobody's; kept, they would be a leak of memory. */
const nameLengthMax = 256
const delayedPerAddressMax = 100
/** Two of the four threads that Node has for files, names and hashes: the others wait for neither. */
const hashesAtOnce = 2
/** Of one address. A second or more of hashing: as many as may come at once after a restart. */
const hashesWaitingMax = 1_000

interface Failures {
  readonly atMs: number[]
  blockedUntilMs: number
}

export class LoginGuard {
  readonly #options: LoginGuardOptions
  /** In the order in which they failed last: the first is forgotten first. */
  readonly #failures = new Map<string, Failures>()
  readonly #delayed = new Map<string, number>()
  readonly #hashing = new Turns({
    atOnce: hashesAtOnce,
    atOncePerKey: hashesAtOnce,
    waitingPerKeyMax: hashesWaitingMax,
  })
  /** More tries of one pair at once than it may fail would all be judged before the first one counts. */
  readonly #judging = new Turns({
    atOnce: Number.POSITIVE_INFINITY,
    atOncePerKey: failuresMax,
    waitingPerKeyMax: Number.POSITIVE_INFINITY,
  })

  constructor(options: LoginGuardOptions) {
    this.#options = options
  }

  /** Pairs that are remembered. */
  get pairCount(): number {
    return this.#failures.size
  }

  isBlocked(ip: string, name: string | undefined): boolean {
    return (this.#failures.get(pairOf(ip, name))?.blockedUntilMs ?? 0) > this.#options.now()
  }

  succeeded(ip: string, name: string): void {
    this.#failures.delete(pairOf(ip, name))
  }

  failed(ip: string, name: string | undefined): void {
    // The minute does not begin again with every try in it.
    if (this.isBlocked(ip, name)) return
    const pair = pairOf(ip, name)
    const nowMs = this.#options.now()
    const known = this.#failures.get(pair) ?? { atMs: [], blockedUntilMs: 0 }
    this.#failures.delete(pair)
    this.#failures.set(pair, known)
    known.atMs.push(nowMs)
    if (known.atMs.length > failuresMax) known.atMs.shift()
    if (known.atMs.length === failuresMax && nowMs - known.atMs[0]! <= windowMs) known.blockedUntilMs = nowMs + windowMs
    if (this.#failures.size > pairsMax) this.#failures.delete(this.#failures.keys().next().value!)
  }

  /** Before a password is hashed: resolves with what to call after; undefined where too many of this address wait. */
  hashTurn(ip: string): Promise<() => void> | undefined {
    return this.#hashing.take(networkOf(ip))
  }

  /** Before somebody else judges a login: resolves with what to call once it is judged, or given up. */
  judgedTurn(ip: string, name: string): Promise<() => void> {
    return this.#judging.take(pairOf(ip, name))!
  }

  /**
   * Waits a second, a fifth more or less. False at once where too many of this address wait already: they are closed
   * without an answer.
   */
  async delay(ip: string): Promise<boolean> {
    const network = networkOf(ip)
    const waiting = this.#delayed.get(network) ?? 0
    if (waiting >= delayedPerAddressMax) return false
    this.#delayed.set(network, waiting + 1)
    const { random, delayMs = 1_000 } = this.#options
    await new Promise(resolve => setTimeout(resolve, delayMs * (0.8 + 0.4 * random())))
    const left = this.#delayed.get(network)! - 1
    if (left === 0) this.#delayed.delete(network)
    else this.#delayed.set(network, left)
    return true
  }
}

const pairOf = (ip: string, name = ''): string => `${networkOf(ip)}\0${name.length > nameLengthMax ? '' : name}`
