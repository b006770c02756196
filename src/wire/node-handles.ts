/**
 * What lies below the streams of Node's sockets: handles, which are read from and written to, the requests that a write
 * takes, and where the outcome of the last call stands. Node keeps these for itself: what is looked for here is all that this
 * project knows of them. A Node that has them otherwise is told by what is not there, and its sockets are used as streams.
 */
import type { Socket } from 'node:net'
import type { Duplex, Writable } from 'node:stream'
import { getSystemErrorName } from 'node:util'

/** Node keeps in it what it needs for a write that is not over when the call returns. */
export interface WriteRequest {
  /** Told that the write is over, where it was set by then. */
  oncomplete?: ((status: number, handle: unknown, text?: string) => void) | undefined
  /** The system reads from their memory, and nobody else may keep it. */
  chunks?: readonly Buffer[]
  /** What TLS says of a status that is not 0. */
  readonly error?: string
  /** `noAsyncId` before the write and again once it is over: what Node kept in it is gone. */
  getAsyncId(): number
}

export const noAsyncId = -1

/** Of a socket that is connected. What they answer is 0, or the negative number of the system's error. */
export interface Handle {
  writeBuffer(request: WriteRequest, bytes: Buffer): number
  writev(request: WriteRequest, chunks: readonly Buffer[], areAllBuffers: true): number
  /** Told of every read; what it gives back is read into from then on, and undefined changes nothing. */
  onread: (this: Handle, ownBytes?: ArrayBuffer) => Uint8Array | undefined
  useUserBuffer(bytes: Uint8Array): void
  readStop(): number
  /** Kept true by whoever started reading, for the next who wants to. */
  reading: boolean
  /** Bytes that were not taken by the system, or, of TLS, that it has not forgotten yet. */
  readonly writeQueueSize: number
  /** Of TLS: the handle that it reads its records from and writes them to. */
  readonly _parent?: Handle | null | undefined
}

/** What a stream knows of itself; where sockets are of many shapes, this is found sooner than what they say. */
export interface WritableState {
  readonly destroyed: boolean
  /** Bytes that it keeps. */
  readonly length: number
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest
  /** What the last event or call left behind, at the places that follow. */
  readonly streamBaseState: Int32Array
  /** Bytes that were read, or the negative number of what happened instead. */
  readonly kReadBytesOrError: number
  /** Not 0 where the write is not over. */
  readonly kLastWriteWasAsync: number
}

export const binding = streamBinding()

/** Undefined where it has none, or not in full. */
export function handleOf(stream: Duplex | Writable): Handle | undefined {
  const { _handle: handle, connecting } = stream as Socket & { readonly _handle?: Partial<Handle> | null }
  const isKnown =
    typeof handle?.writeBuffer === 'function' &&
    typeof handle.writev === 'function' &&
    typeof handle.onread === 'function' &&
    typeof handle.useUserBuffer === 'function' &&
    typeof handle.readStop === 'function' &&
    typeof handle.writeQueueSize === 'number' &&
    (!handle._parent || typeof handle._parent.writeQueueSize === 'number')
  return isKnown && !connecting ? (handle as Handle) : undefined
}

export function writableStateOf(stream: Writable): WritableState | undefined {
  const { _writableState: state } = stream as Writable & { readonly _writableState?: Partial<WritableState> }
  const isKnown = typeof state?.destroyed === 'boolean' && typeof state.length === 'number'
  return isKnown ? (state as WritableState) : undefined
}

/** As a stream says it. */
export function broken(syscall: 'read' | 'write', status: number, text?: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(status)
  const error: NodeJS.ErrnoException = new Error(
    text === undefined ? `${syscall} ${code}` : `${syscall} ${code} ${text}`,
  )
  return Object.assign(error, { errno: status, code, syscall })
}

function streamBinding(): StreamBinding | undefined {
  const { binding } = process as unknown as { readonly binding?: (name: string) => Partial<StreamBinding> }
  try {
    const found = binding?.('stream_wrap')
    const isKnown =
      typeof found?.WriteWrap === 'function' &&
      typeof found.WriteWrap.prototype.getAsyncId === 'function' &&
      found.streamBaseState instanceof Int32Array &&
      typeof found.kReadBytesOrError === 'number' &&
      typeof found.kLastWriteWasAsync === 'number'
    return isKnown ? (found as StreamBinding) : undefined
  } catch {
    // A Node without it, or one that was told to let nobody have it.
    return undefined
  }
}
