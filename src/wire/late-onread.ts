/**
 * Node reads a socket that it dials into buffers of ours where `onread` asks for it; for a socket that it accepted, and
 * for TLS on one, there is no such option. What the option does is the same for all: it fills three slots that every
 * `net.Socket` has, under symbols that Node keeps to itself, and tells the handle of the first buffer. Nothing else here knows
 * of them; a Node that has them otherwise is told by what is not there, and its sockets are read through their streams.
 */
import type { Socket } from 'node:net'

export interface Onread {
  /** The next buffer; Node goes on with the last where it gets anything else. */
  readonly buffer: () => Buffer
  /** Bytes are in the last one; false stops reading. */
  readonly callback: (bytes: number) => boolean
}

interface Slots {
  readonly buffer: symbol
  readonly callback: symbol
  readonly generator: symbol
}

/** The same for all sockets of a process, once one has been looked at. */
let slots: Slots | undefined

/** From now on `socket` is read by `onread`, what it holds already excepted. False where this Node cannot. */
export function readBy(socket: Socket, { buffer, callback }: Onread): boolean {
  slots ??= slotsOf(socket)
  if (slots === undefined) return false
  const open = socket as unknown as Record<symbol, unknown> & {
    readonly _handle?: { useUserBuffer?: (buffer: Buffer) => void } | null
  }
  const handle = open._handle
  const isFree = open[slots.buffer] === null && open[slots.callback] === null && open[slots.generator] === null
  if (!isFree || typeof handle?.useUserBuffer !== 'function') return false
  const first = buffer()
  open[slots.callback] = callback
  open[slots.generator] = buffer
  open[slots.buffer] = first
  handle.useUserBuffer(first)
  return true
}

function slotsOf(socket: Socket): Slots | undefined {
  const symbols = Object.getOwnPropertySymbols(socket)
  const slot = (description: string) => symbols.find(symbol => symbol.description === description)
  const [buffer, callback, generator] = [slot('kBuffer'), slot('kBufferCb'), slot('kBufferGen')]
  return buffer && callback && generator && { buffer, callback, generator }
}
