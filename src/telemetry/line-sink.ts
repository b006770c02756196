/**
 * Lines to a file descriptor, never blocking the event loop and never growing without bound: a reader that stalls or
 * a full disk costs log lines (counted), never traffic, nor the end of the process. sonic-boom retries a full disk for
 * ever when it flushes and blocks on a stalled pipe; hence our own.
 */
import { type WriteChunk, writeChunkTo } from './write-chunk.ts'

export interface LineSinkOptions {
  readonly fd: number
  /** Most bytes waiting; a line that does not fit is dropped. */
  readonly bytesMax?: number
  /**
   * No line is dropped: what cannot be written is tried again, every `retryMs`. Who hands over lines asks `isTaking`
   * before there is anything to write down, and waits or refuses: that is the bound then.
   */
  readonly keepsLines?: boolean
  readonly retryMs?: number
}

const CHUNK_BYTES = 64 * 1024
const lineEnd = 0x0a
const nothing = Buffer.alloc(0)

export class LineSink {
  #writeChunk: WriteChunk
  readonly #bytesMax: number
  readonly #keepsLines: boolean
  readonly #retryMs: number
  #failure: Error | undefined
  #waiting: Buffer[] = []
  #waitingBytes = 0
  /** Until nothing waits: a failed write that is tried again later counts, too. */
  #writing = false
  #isInFlight = false
  /** What a line has of itself in the file whose rest could not be written. */
  #begun: Buffer = nothing
  #dropped = 0
  #idle: (() => void)[] = []
  /** Wait for the write that is under way. */
  #moved: (() => void)[] = []

  constructor({ fd, bytesMax = 4 * 1024 * 1024, keepsLines = false, retryMs = 1_000 }: LineSinkOptions) {
    this.#writeChunk = writeChunkTo(fd)
    this.#bytesMax = bytesMax
    this.#keepsLines = keepsLines
    this.#retryMs = retryMs
  }

  /** False while the destination refuses lines, or has let half of the room fill. */
  get isTaking(): boolean {
    return this.#failure === undefined && this.#waitingBytes <= this.#bytesMax / 2
  }

  /** Lines lost since the start: no room, or the destination refused them. */
  get dropped(): number {
    return this.#dropped
  }

  write(line: string): void {
    const bytes = Buffer.from(line)
    if (!this.#keepsLines && this.#waitingBytes + bytes.length > this.#bytesMax) {
      this.#dropped++
      return
    }
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    if (!this.#writing) this.#writeNext()
  }

  /** Resolves when all is written, or at the deadline: a stalled reader must not keep the process alive. */
  async flushed(timeoutMs: number): Promise<void> {
    if (!this.#writing) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#idle.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** What is not being written yet goes to another descriptor; resolves when the one before is needed no more. */
  async moveTo(fd: number): Promise<void> {
    this.#writeChunk = writeChunkTo(fd)
    if (this.#isInFlight) await new Promise<void>(resolve => this.#moved.push(resolve))
    else this.#beginLineAnew()
  }

  #writeNext(): void {
    this.#writing = this.#waiting.length > 0
    if (!this.#writing) {
      for (const resolve of this.#idle.splice(0)) resolve()
      return
    }
    const lines = this.#takeLines()
    const chunk = Buffer.concat(lines)
    this.#isInFlight = true
    this.#writeChunk(chunk, (error, left = chunk) => {
      this.#isInFlight = false
      const moved = this.#moved.splice(0)
      for (const resolve of moved) resolve()
      if (error && this.#keepsLines) {
        this.#tryAgain(error, chunk, left)
        if (moved.length > 0) this.#beginLineAnew()
        return
      }
      this.#begun = nothing
      this.#failure = error ?? undefined
      this.#waitingBytes -= chunk.length
      if (error) this.#dropped += lines.length
      this.#writeNext()
    })
  }

  /** Goes on in the middle of a line where a disk took half of it. */
  #tryAgain(error: Error, chunk: Buffer, left: Buffer): void {
    const written = Buffer.concat([this.#begun, chunk.subarray(0, chunk.length - left.length)])
    this.#begun = written.subarray(written.lastIndexOf(lineEnd) + 1)
    this.#failure = error
    this.#waitingBytes -= chunk.length - left.length
    this.#waiting.unshift(left)
    setTimeout(() => this.#writeNext(), this.#retryMs).unref()
  }

  /** Elsewhere nobody knows how it began. */
  #beginLineAnew(): void {
    if (this.#begun.length === 0) return
    this.#waiting.unshift(this.#begun)
    this.#waitingBytes += this.#begun.length
    this.#begun = nothing
  }

  #takeLines(): Buffer[] {
    let bytes = 0
    const end = this.#waiting.findIndex((line, index) => {
      bytes += line.length
      return index > 0 && bytes > CHUNK_BYTES
    })
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end)
  }
}
