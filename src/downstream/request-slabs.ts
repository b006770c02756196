/**
 * Which requests are received into slabs: those that fit one, each into one of its own, handed over when it is complete. A
 * client says how long its request will be before it has sent any of it, so that a slab waits until a part of the
 * request is here: who wants to hold much has to send something.
 */
import { lengthPrefixBytes } from '../wire/frame.ts'
import type { FrameSplitter } from '../wire/frame-splitter.ts'
import { type ReceiveBuffers, slabBytesMax } from '../wire/receive-buffers.ts'
import type { Slabs } from '../wire/socket-reads.ts'

/** A shorter request comes in one or two reads. */
const requestBytesMin = 32 * 1024
/** The part of a request that has to be here before it gets a slab. */
const sentPart = 1 / 8

export interface RequestSlabsOptions {
  readonly buffers: ReceiveBuffers
  /** What has come of requests without a slab. */
  readonly splitter: FrameSplitter
  readonly payloadBytesMax: number
  /** Whether a request of `announced` bytes may take a slab of `slabBytes`: then it is heard of when it is complete. */
  readonly mayBegin: (slabBytes: number, announced: number) => boolean
}

export class RequestSlabs implements Slabs {
  readonly #options: RequestSlabsOptions
  /** Of the request in progress. */
  #slab: Buffer | undefined
  #filledBytes = 0
  #requestBytes = 0
  /** Of the request that was handed over last, until it is taken. */
  #handedOver: Buffer | undefined
  #hasEnded = false

  constructor(options: RequestSlabsOptions) {
    this.#options = options
  }

  target(): Buffer | undefined {
    return this.#slab?.subarray(this.#filledBytes, this.#requestBytes)
  }

  filled(bytes: number): Buffer | undefined {
    this.#filledBytes += bytes
    if (this.#filledBytes < this.#requestBytes) return undefined
    const slab = this.#slab as Buffer
    this.#slab = undefined
    this.#options.buffers.complete(slab)
    this.#handedOver = slab
    return slab.subarray(0, this.#requestBytes)
  }

  takes(view: Buffer): boolean {
    const { buffers, splitter, mayBegin } = this.#options
    const here = splitter.bufferedBytes + view.length
    const requestBytes = this.#announcedBytes(view)
    const deserves = requestBytes >= requestBytesMin && requestBytes <= slabBytesMax && here >= requestBytes * sentPart
    if (!deserves || here >= requestBytes || this.#hasEnded) return false
    const slab = buffers.begin(requestBytes)
    if (slab === undefined) return false
    if (!mayBegin(slab.length, requestBytes)) {
      buffers.complete(slab)
      buffers.giveBack(slab)
      return false
    }
    view.copy(slab, splitter.moveInto(slab))
    this.#slab = slab
    this.#filledBytes = here
    this.#requestBytes = requestBytes
    return true
  }

  frameEnded(): (() => void) | undefined {
    const slab = this.#handedOver
    if (slab === undefined) return undefined
    this.#handedOver = undefined
    return () => this.#options.buffers.giveBack(slab)
  }

  end(): void {
    this.#hasEnded = true
    if (this.#slab !== undefined) this.#options.buffers.complete(this.#slab)
    this.#slab = undefined
  }

  /** Of the request that `view` goes on with, or begins; one that is out of bounds is the splitter's to refuse. */
  #announcedBytes(view: Buffer): number {
    const { splitter, payloadBytesMax } = this.#options
    if (splitter.announcedBytes > 0) return splitter.announcedBytes
    if (splitter.bufferedBytes > 0) return 0
    const payloadBytes = view.readInt32BE(0)
    return payloadBytes <= payloadBytesMax ? lengthPrefixBytes + payloadBytes : 0
  }
}
