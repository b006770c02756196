/** A client that nobody knows yet: few requests, small ones, one after the other, each within its time. */
import type { Socket } from 'node:net'
import type { StrangerLog } from '../telemetry/flood-log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Frame } from '../wire/frame.ts'
import { FrameSplitter } from '../wire/frame-splitter.ts'
import type { DeadlineSweep } from './deadline-sweep.ts'

export interface EarlyLimits {
  readonly preAuthFrameBytes: number
  readonly preAuthRequests: number
  readonly firstFrameTimeout: number
}

export interface EarlyContext {
  readonly limits: EarlyLimits
  readonly sweep: DeadlineSweep
  readonly metrics: Metrics
  readonly log: StrangerLog
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export interface EarlyPeer {
  readonly connection: number
  readonly listener: string
  /** `host:port` as the client connects from. */
  readonly address: string
  readonly ip: string
  readonly nodeId: number | undefined
}

export interface EarlyEvents {
  /** The next frame is not looked at before this settles; a rejection closes. */
  readonly onFrame: (frame: Frame) => Promise<void>
  readonly onClosed: () => void
}

export class EarlyRequests {
  readonly #socket: Socket
  readonly #peer: EarlyPeer
  readonly #context: EarlyContext
  readonly #events: EarlyEvents
  readonly #splitter: FrameSplitter
  readonly #listeners: readonly (readonly [event: string, listener: (...args: never[]) => void])[]
  #count = 0
  #isBusy = false
  #isOver = false
  #waitingSinceMs: number

  constructor(socket: Socket, peer: EarlyPeer, context: EarlyContext, events: EarlyEvents) {
    this.#socket = socket
    this.#peer = peer
    this.#context = context
    this.#events = events
    // The raw tokens of SaslHandshake 0 may be empty.
    this.#splitter = new FrameSplitter({ payloadBytesMin: 0, payloadBytesMax: context.limits.preAuthFrameBytes })
    this.#waitingSinceMs = context.now()
    this.#listeners = [
      ['data', (chunk: Buffer) => this.#received(chunk)],
      ['end', () => this.destroy()],
      ['error', () => this.destroy()],
      ['close', () => this.destroy()],
    ]
    for (const [event, listener] of this.#listeners) socket.on(event, listener as () => void)
    context.sweep.add(this)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** From the last answer to the next whole request: a byte now and then does not help. */
  checkDeadlines(nowMs: number): void {
    if (this.#isBusy || nowMs <= this.#waitingSinceMs + this.#context.limits.firstFrameTimeout) return
    this.refuse('no login in time')
  }

  write(chunks: readonly Buffer[]): void {
    if (this.#isOver) return
    const bytes = Buffer.concat(chunks)
    this.#context.metrics.sentToClient(bytes.length)
    this.#socket.write(bytes)
  }

  /** Closes once what was written has left. */
  end(): void {
    if (this.#isOver) return
    this.#detach()
    this.#socket.on('error', () => undefined)
    this.#socket.end()
    this.#socket.destroySoon()
    this.#events.onClosed()
  }

  /** Gives the socket away, paused; false where the client did not wait for its answer. */
  release(): boolean {
    if (this.#isOver) return false
    if (this.#splitter.bufferedBytes > 0) {
      this.refuse('a request before the end of the login')
      return false
    }
    this.#detach()
    this.#socket.pause()
    return true
  }

  refuse(reason: string, details: Readonly<Record<string, unknown>> = {}): void {
    if (this.#isOver) return
    const { metrics, log } = this.#context
    metrics.error(reason)
    log.warn({ ...this.#who(), details: { reason, ...details } }, 'connection closed before it was authenticated')
    this.destroy()
  }

  destroy(): void {
    if (this.#isOver) return
    this.#detach()
    this.#socket.on('error', () => undefined)
    this.#socket.destroy()
    this.#events.onClosed()
  }

  #detach(): void {
    this.#isOver = true
    this.#context.sweep.remove(this)
    for (const [event, listener] of this.#listeners) this.#socket.off(event, listener as () => void)
  }

  #received(chunk: Buffer): void {
    this.#context.metrics.receivedFromClient(chunk.length)
    this.#splitter.push(chunk)
    void this.#pump()
  }

  async #pump(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    this.#socket.pause()
    try {
      for (let frame = this.#splitter.next(); frame !== undefined; frame = this.#splitter.next()) {
        if (++this.#count > this.#context.limits.preAuthRequests) return this.refuse('too many requests before login')
        await this.#events.onFrame(frame)
        if (this.#isOver) return
        this.#waitingSinceMs = this.#context.now()
      }
    } catch (error) {
      return this.#failed(error)
    } finally {
      this.#isBusy = false
    }
    if (!this.#isOver) this.#socket.resume()
  }

  #failed(error: unknown): void {
    if (this.#isOver) return
    const { metrics, log } = this.#context
    metrics.error('login')
    log.warn({ ...this.#who(), err: error }, 'connection closed before it was authenticated')
    this.destroy()
  }

  #who() {
    const { connection, listener, address, nodeId } = this.#peer
    return { connection, listener, client: address, nodeId }
  }
}
