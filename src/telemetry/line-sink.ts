/**
 * Writes lines to a file descriptor without ever blocking the event loop or growing without bound: a reader that
 * stalls or a full disk costs log lines (counted), never traffic. sonic-boom's flushSync retries ENOSPC for ever and
 * blocks on a stalled pipe, and process.stdout is synchronous on pipes; hence our own.
 */
import { write } from 'node:fs'

export interface LineSinkOptions {
  readonly fd: number
  /** Most bytes waiting; a line that does not fit is dropped. */
  readonly bytesMax?: number
}

const RETRY_MS = 100
const WRITE_BYTES = 64 * 1024

export class LineSink {
  readonly #fd: number
  readonly #bytesMax: number
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #writing = false
  #dropped = 0
  #idle: (() => void)[] = []

  constructor({ fd, bytesMax = 4 * 1024 * 1024 }: LineSinkOptions) {
    this.#fd = fd
    this.#bytesMax = bytesMax
  }

  /** Lines lost since the start: no room, or the destination refused them. */
  get dropped(): number {
    return this.#dropped
  }

  write(line: string): void {
    const bytes = Buffer.from(line)
    if (this.#waitingBytes + bytes.length > this.#bytesMax) {
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

  #writeNext(): void {
    if (this.#waiting.length === 0) {
      this.#writing = false
      for (const resolve of this.#idle.splice(0)) resolve()
      return
    }
    this.#writing = true
    let bytes = 0
    let count = 0
    while (count < this.#waiting.length && (count === 0 || bytes + this.#waiting[count]!.length <= WRITE_BYTES)) {
      bytes += this.#waiting[count++]!.length
    }
    const lines = this.#waiting.splice(0, count)
    this.#writeOut(Buffer.concat(lines, bytes), count)
  }

  #writeOut(chunk: Buffer, lines: number): void {
    write(this.#fd, chunk, (error, written) => {
      if (error?.code === 'EAGAIN' || error?.code === 'EBUSY') {
        setTimeout(() => this.#writeOut(chunk, lines), RETRY_MS)
        return
      }
      this.#waitingBytes -= error ? chunk.length : written
      if (error) this.#dropped += lines
      else if (written < chunk.length) return this.#writeOut(chunk.subarray(written), lines)
      this.#writeNext()
    })
  }
}
