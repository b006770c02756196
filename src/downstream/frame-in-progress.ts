/** The request that a client is sending: what it holds of the budget, and how long it may take. */
import type { ByteBudget, Reservation } from '../wire/byte-budget.ts'

export interface FrameTimes {
  readonly firstFrameTimeout: number
  readonly frameTimeout: number
}

/** A frame in progress holds budget once this much of it is here, twice what came: holding much takes sending much. */
const reserveFromBytes = 64 * 1024
/** Slowest acceptable client, on top of `frameTimeout`. */
const frameBytesPerMs = 64 * 1.024

const never = Number.POSITIVE_INFINITY

export class FrameInProgress {
  readonly #budget: ByteBudget
  readonly #times: FrameTimes
  #reservation: Reservation | undefined
  #firstDeadlineMs: number
  #startedAtMs = never
  #announcedBytes = 0
  #pausedAtMs = never
  #isPaused = false

  constructor(budget: ByteBudget, times: FrameTimes, nowMs: number) {
    this.#budget = budget
    this.#times = times
    this.#firstDeadlineMs = nowMs + times.firstFrameTimeout
  }

  /** It may not be read on before there is budget for it. */
  get isWaiting(): boolean {
    return this.#reservation?.isWaiting === true
  }

  /** A part of it is here, and the client's time for the rest runs. */
  get isRunning(): boolean {
    return this.#startedAtMs !== never && !this.#isPaused
  }

  /** It is going to take `bytes`, and nothing more will be heard of it before it is complete; false where there is no room. */
  reserve(bytes: number, announcedBytes: number, nowMs: number): boolean {
    if (this.#reservation !== undefined) return false
    this.#reservation = this.#budget.holdIfRoom(bytes)
    if (this.#reservation === undefined) return false
    if (this.#startedAtMs === never) this.#startedAtMs = nowMs
    this.#announcedBytes = announcedBytes
    return true
  }

  /** `bufferedBytes` of it are here. */
  grew(bufferedBytes: number, announcedBytes: number, nowMs: number, onGranted: () => void): void {
    if (this.#startedAtMs === never) this.#startedAtMs = nowMs
    this.#announcedBytes = announcedBytes
    if (bufferedBytes < reserveFromBytes) return
    this.#reservation ??= this.#budget.hold(0)
    this.#reservation.grow(Math.min(announcedBytes, 2 * bufferedBytes), onGranted)
  }

  /** It is here: the caller gets what it holds. */
  complete(): Reservation | undefined {
    const held = this.#reservation
    this.#reservation = undefined
    this.#firstDeadlineMs = never
    this.#startedAtMs = never
    return held
  }

  /** The time in which nobody reads is not the client's. */
  paused(nowMs: number): void {
    this.#isPaused = true
    this.#pausedAtMs = nowMs
  }

  resumed(nowMs: number): void {
    this.#isPaused = false
    this.#startedAtMs += nowMs - this.#pausedAtMs
  }

  /** Which deadline has passed, if one has. */
  lateness(nowMs: number): string | undefined {
    if (nowMs > this.#firstDeadlineMs) return 'no frame within firstFrameTimeout'
    const timeoutMs = this.#times.frameTimeout + this.#announcedBytes / frameBytesPerMs
    return !this.#isPaused && nowMs > this.#startedAtMs + timeoutMs ? 'a frame was not complete in time' : undefined
  }

  release(): void {
    this.#reservation?.release()
  }
}
