import { fstatSync, write } from 'node:fs'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'

/** Writes all of a chunk, or reports why it could not and what is left of it, without blocking the event loop. */
export type WriteChunk = (chunk: Buffer, done: (error?: Error | null, left?: Buffer) => void) => void

/**
 * Pipes and sockets are written without blocking. fs.write would block a thread on them while the reader stalls, and
 * a process cannot end before its threads do. Files, on the other hand, are synchronous in process.stdout.
 */
export function writeChunkTo(fd: number): WriteChunk {
  const stat = fstatSync(fd)
  if (!stat.isFIFO() && !stat.isSocket()) return (chunk, done) => writeFile(fd, chunk, done)
  return toStream(fd === 1 ? process.stdout : new Socket({ fd, readable: false, writable: true }))
}

function writeFile(fd: number, chunk: Buffer, done: (error?: Error | null, left?: Buffer) => void): void {
  write(fd, chunk, (error, written) => {
    if (error || written === chunk.length) done(error, chunk)
    else writeFile(fd, chunk.subarray(written), done)
  })
}

function toStream(stream: Writable): WriteChunk {
  // Failures reach the callback of the write they concern; without a listener they would end the process.
  stream.on('error', () => {})
  return (chunk, done) => stream.write(chunk, error => done(error, chunk))
}
