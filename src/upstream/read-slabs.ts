/**
 * Where the bytes of a plaintext broker are read to. Node gives every read 64 KiB of its own, and gives back what a short
 * one leaves; here short reads go through one place that all connections share, and are copied out of it, and a
 * connection whose reads are long gets a slab of its own, out of which they are handed over as they are.
 */
import type { OnReadOpts, Socket } from 'node:net'

const sharedBytes = 64 * 1024
/** A read of the system's takes at most as much as is left of it. */
const slabBytes = 256 * 1024
/** Less than this is not worth a call to the system: a new slab is begun. */
const leftBytesMin = 64 * 1024
/** Shorter reads are copied: a few bytes must not keep a slab alive. */
const copiedBytesMax = 16 * 1024

/** Nothing stays in it: what is read is taken out before anything else is read. */
const shared = Buffer.allocUnsafeSlow(sharedBytes)

export class ReadSlabs implements OnReadOpts {
  /** Set as soon as there is one: it is given these options when it is made. */
  socket: Socket | undefined
  #slab: Buffer | undefined

  /** Called by Node before the first read and after every one. */
  readonly buffer = (): Buffer => this.#slab ?? shared

  readonly callback = (bytesRead: number, into: Uint8Array): boolean => {
    const read = into as Buffer
    if (bytesRead <= copiedBytesMax || read === shared) {
      // What reads little needs no slab, and whoever has filled the shared one does.
      this.#slab = bytesRead === sharedBytes && read === shared ? newSlab() : undefined
      return this.socket!.push(Buffer.from(read.subarray(0, bytesRead)))
    }
    const left = read.subarray(bytesRead)
    this.#slab = left.length < leftBytesMin ? newSlab() : left
    return this.socket!.push(read.subarray(0, bytesRead))
  }
}

const newSlab = (): Buffer => Buffer.allocUnsafeSlow(slabBytes)
