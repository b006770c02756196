/** How many connections, and how fast: in all and per address. A balancer is one address, so both default alike. */

export interface AcceptLimitOptions {
  readonly connections: number
  readonly connectionsPerIp: number
  readonly acceptPerSecond: number
  readonly acceptPerSecondPerIp: number
}

export type Admission =
  | { readonly kind: 'admitted'; readonly delayMs: number }
  | { readonly kind: 'refused'; readonly reason: 'connections' | 'connectionsPerIp' | 'acceptPerSecond' }

/** A burst waits for its turn this long (KIP-612 delays, too); what would wait longer is refused. */
const delayMsMax = 2_000

/** When the next connection may start its handshake, so that no second sees more than the rate. */
class Pace {
  readonly #intervalMs: number
  #nextAtMs = 0

  constructor(perSecond: number) {
    this.#intervalMs = 1_000 / perSecond
  }

  /** Milliseconds to wait; a second's worth may come at once. */
  delayMs(nowMs: number): number {
    return Math.max(0, this.#nextAtMs - nowMs - 1_000)
  }

  book(nowMs: number): void {
    this.#nextAtMs = Math.max(this.#nextAtMs, nowMs) + this.#intervalMs
  }

  /** A second's worth is free again: nothing worth remembering. */
  isIdle(nowMs: number): boolean {
    return this.#nextAtMs <= nowMs
  }
}

interface Address {
  open: number
  readonly pace: Pace
}

export class AcceptLimits {
  readonly #options: AcceptLimitOptions
  readonly #now: () => number
  readonly #pace: Pace
  readonly #addresses = new Map<string, Address>()
  #open = 0

  constructor(options: AcceptLimitOptions, now: () => number) {
    this.#options = options
    this.#now = now
    this.#pace = new Pace(options.acceptPerSecond)
  }

  get openCount(): number {
    return this.#open
  }

  /** Addresses that are remembered. */
  get addressCount(): number {
    return this.#addresses.size
  }

  /** Counts a connection in; whoever is admitted must `leave` later. */
  enter(ip: string): Admission {
    const { connections, connectionsPerIp, acceptPerSecondPerIp } = this.#options
    if (this.#open >= connections) return { kind: 'refused', reason: 'connections' }
    const address = this.#addresses.get(ip) ?? { open: 0, pace: new Pace(acceptPerSecondPerIp) }
    if (address.open >= connectionsPerIp) return { kind: 'refused', reason: 'connectionsPerIp' }
    const nowMs = this.#now()
    const delayMs = Math.max(this.#pace.delayMs(nowMs), address.pace.delayMs(nowMs))
    if (delayMs > delayMsMax) return { kind: 'refused', reason: 'acceptPerSecond' }
    this.#pace.book(nowMs)
    address.pace.book(nowMs)
    address.open++
    this.#open++
    this.#addresses.set(ip, address)
    return { kind: 'admitted', delayMs }
  }

  leave(ip: string): void {
    const address = this.#addresses.get(ip)
    if (address === undefined) return
    this.#open--
    address.open--
    if (address.open === 0 && address.pace.isIdle(this.#now())) this.#addresses.delete(ip)
    if (this.#addresses.size > 2 * this.#options.connections) this.#forgetIdle()
  }

  /** Addresses that came, went and left only a pace behind must not add up. */
  #forgetIdle(): void {
    const nowMs = this.#now()
    for (const [ip, address] of this.#addresses) {
      if (address.open === 0 && address.pace.isIdle(nowMs)) this.#addresses.delete(ip)
    }
  }
}
