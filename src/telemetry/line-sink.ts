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
}

const CHUNK_BYTES = 64 * 1024

export class LineSink {
  readonly #writeChunk: WriteChunk
  readonly #bytesMax: number
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #writing = false
  #dropped = 0
  #idle: (() => void)[] = []

  constructor({ fd, bytesMax = 4 * 1024 * 1024 }: LineSinkOptions) {
    this.#writeChunk = writeChunkTo(fd)
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
    this.#writing = this.#waiting.length > 0
    if (!this.#writing) {
      for (const resolve of this.#idle.splice(0)) resolve()
      return
    }
    const lines = this.#takeLines()
    const chunk = Buffer.concat(lines)
    this.#writeChunk(chunk, error => {
      this.#waitingBytes -= chunk.length
      if (error) this.#dropped += lines.length
      this.#writeNext()
    })
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
