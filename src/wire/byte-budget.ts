/**
 * The bytes that all connections of a process may hold in buffers (`limits.bufferedBytes`).
 *
 * Bytes that are already here are held at once; bytes that are only announced are asked for before they are read, and
 * who gets no grant stops reading. So that a budget full of half-received frames can never lock up, one reservation at
 * a time may go beyond it ("one frame always proceeding"): the oldest that waits.
 */

export class ByteBudget {
  readonly bytesMax: number
  #inUse = 0
  readonly #waiting: Reservation[] = []
  #overdrawn: Reservation | undefined

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get inUseBytes(): number {
    return this.#inUse
  }

  get waitingCount(): number {
    return this.#waiting.length
  }

  /** Holds bytes that are already in memory; never waits. */
  hold(bytes: number): Reservation {
    this.#inUse += bytes
    return new Reservation(this, bytes)
  }

  /** Holds bytes that are about to come, where there is room for them and nobody waits for some. */
  holdIfRoom(bytes: number): Reservation | undefined {
    return this.#waiting.length === 0 && this.#inUse + bytes <= this.bytesMax ? this.hold(bytes) : undefined
  }

  /** Called by its reservations: grants when there is room, or when nobody else is beyond it. */
  grant(reservation: Reservation, more: number): boolean {
    const fits = this.#inUse + more <= this.bytesMax
    if (!fits && this.#overdrawn !== undefined && this.#overdrawn !== reservation) return false
    if (!fits) this.#overdrawn = reservation
    this.#inUse += more
    return true
  }

  /** Called by its reservations: in line for a grant, oldest first. */
  wait(reservation: Reservation): void {
    this.#waiting.push(reservation)
  }

  /** Called by its reservations when they end. */
  giveBack(reservation: Reservation, bytes: number): void {
    if (this.#overdrawn === reservation) this.#overdrawn = undefined
    if (reservation.isWaiting) this.#waiting.splice(this.#waiting.indexOf(reservation), 1)
    this.#inUse -= bytes
    while (this.#waiting.length > 0) {
      const oldest = this.#waiting[0] as Reservation
      if (!this.grant(oldest, oldest.wantedBytes)) return
      this.#waiting.shift()
      oldest.granted()
    }
  }
}

/** What one frame holds, from its announcement until its last byte has left. */
export class Reservation {
  readonly #budget: ByteBudget
  #heldBytes: number
  #isReleased = false
  #onGranted: (() => void) | undefined
  /** Bytes asked for beyond those held; 0 where it does not wait. */
  wantedBytes = 0
  /** Called once the last byte has left or can no longer leave, and not where the frame was given up before. */
  onLeft: (() => void) | undefined

  constructor(budget: ByteBudget, heldBytes: number) {
    this.#budget = budget
    this.#heldBytes = heldBytes
  }

  get isWaiting(): boolean {
    return this.wantedBytes > 0
  }

  /** Asks for `bytes` in all; true when it holds them at once, else `onGranted` is called when it does. */
  grow(bytes: number, onGranted: () => void): boolean {
    if (this.isWaiting || this.#isReleased) return false
    const more = bytes - this.#heldBytes
    if (more <= 0) return true
    if (this.#budget.grant(this, more)) {
      this.#heldBytes = bytes
      return true
    }
    this.wantedBytes = more
    this.#onGranted = onGranted
    this.#budget.wait(this)
    return false
  }

  granted(): void {
    this.#heldBytes += this.wantedBytes
    this.wantedBytes = 0
    this.#onGranted?.()
  }

  /** The frame's last byte has left: gives everything back. */
  left(): void {
    if (this.#isReleased) return
    this.release()
    this.onLeft?.()
  }

  /** Gives everything back; a second call does nothing. */
  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#budget.giveBack(this, this.#heldBytes)
    this.wantedBytes = 0
    this.#heldBytes = 0
  }
}
