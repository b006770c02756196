/**
 * Writes below a socket's stream, to the handle that Node writes to. A stream keeps what it is given, counts it, and says
 * in a tick of its own that it has left; `Outbound` does the first two for itself, and TCP mostly takes a small frame at
 * once, so that there is nothing to say. Nothing else here knows of Node's handles and of how they tell what became of
 * a write; a Node that has them otherwise is told by what is not there, and its sockets are written to as streams.
 */
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { getSystemErrorName } from 'node:util'
import type { Outgoing } from './outgoing.ts'

/** Node keeps in it what it needs for a write that is not over when the call returns. */
interface WriteRequest {
  oncomplete?: ((status: number, handle: unknown, text?: string) => void) | undefined
  /** The system reads from their memory, and nobody else may keep it. */
  chunks?: readonly Buffer[]
  /** What TLS says of a status that is not 0. */
  readonly error?: string
}

interface Handle {
  writeBuffer(request: WriteRequest, bytes: Buffer): number
  writev(request: WriteRequest, chunks: readonly Buffer[], areAllBuffers: true): number
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest
  /** What the last call left behind. */
  readonly streamBaseState: Int32Array
  /** Where in it: not 0 where the write is not over. */
  readonly kLastWriteWasAsync: number
}

const binding = streamBinding()

/** Node has no use for the request of a write that is over when the call returns: the next write takes it. */
let spare: WriteRequest | undefined

export class HandleWrites implements Outgoing {
  readonly #binding: StreamBinding
  readonly #socket: Socket
  readonly #handle: Handle
  readonly #stream: Outgoing
  readonly #completed: NonNullable<WriteRequest['oncomplete']>

  private constructor(binding: StreamBinding, socket: Socket, handle: Handle, stream: Outgoing, onTaken: () => void) {
    this.#binding = binding
    this.#socket = socket
    this.#handle = handle
    this.#stream = stream
    this.#completed = (status, _, text) => {
      if (status === 0) onTaken()
      else socket.destroy(broken(status, text))
    }
  }

  /** Undefined where this Node cannot, or `socket` is none that is connected; `stream` writes to the same one. */
  static of(socket: Writable, stream: Outgoing, onTaken: () => void): HandleWrites | undefined {
    const open = socket as Socket & { readonly _handle?: Partial<Handle> | null }
    const handle = open._handle
    const isKnown = typeof handle?.writeBuffer === 'function' && typeof handle.writev === 'function'
    if (binding === undefined || !isKnown || open.connecting) return undefined
    return new HandleWrites(binding, open, handle as Handle, stream, onTaken)
  }

  write(chunks: readonly Buffer[]): boolean {
    const socket = this.#socket
    if (socket.destroyed) return false
    // From before the connection was the session's; a handle for TLS has one write at a time.
    if (socket.writableLength > 0) return this.#stream.write(chunks)
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = this.#binding
    const request = spare ?? new WriteWrap()
    spare = undefined
    request.oncomplete = this.#completed
    const status =
      chunks.length === 1
        ? this.#handle.writeBuffer(request, chunks[0] as Buffer)
        : this.#handle.writev(request, chunks, true)
    if (status !== 0) {
      socket.destroy(broken(status, request.error))
      return false
    }
    if (streamBaseState[kLastWriteWasAsync] !== 0) {
      request.chunks = chunks
      return false
    }
    request.oncomplete = undefined
    spare = request
    return true
  }

  end(): void {
    this.#stream.end()
  }
}

function streamBinding(): StreamBinding | undefined {
  const { binding } = process as unknown as { readonly binding?: (name: string) => Partial<StreamBinding> }
  try {
    const found = binding?.('stream_wrap')
    const isKnown =
      typeof found?.WriteWrap === 'function' &&
      found.streamBaseState instanceof Int32Array &&
      typeof found.kLastWriteWasAsync === 'number'
    return isKnown ? (found as StreamBinding) : undefined
  } catch {
    // A Node without it, or one that was told to let nobody have it.
    return undefined
  }
}

/** As a stream says it. */
function broken(status: number, text: string | undefined): NodeJS.ErrnoException {
  const code = getSystemErrorName(status)
  const error: NodeJS.ErrnoException = new Error(text === undefined ? `write ${code}` : `write ${code} ${text}`)
  return Object.assign(error, { errno: status, code, syscall: 'write' })
}
