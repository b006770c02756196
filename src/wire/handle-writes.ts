/**
 * Writes below a socket's stream, to the handle that Node writes to. A stream keeps what it is given, counts it, and says
 * in a tick of its own that it has left; `Outbound` does the first two for itself, and the system mostly takes a small frame
 * at once, so that there is nothing to say. TCP tells that by itself. TLS calls every write unfinished until a later phase
 * of the event loop, and Node ends the process where another comes before.
 */
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import {
  binding,
  broken,
  type Handle,
  handleOf,
  noAsyncId,
  type WritableState,
  type WriteRequest,
  writableStateOf,
} from './node-handles.ts'
import type { Outgoing } from './outgoing.ts'

/** TLS makes one record of so much, and hands that down in one piece. */
const recordBytesMax = 16 * 1024

/** Node has no use for the request of a write that is over when the call returns: the next write takes it. */
let spare: WriteRequest | undefined

export class HandleWrites implements Outgoing {
  readonly #binding: NonNullable<typeof binding>
  readonly #socket: Socket
  readonly #handle: Handle
  readonly #state: WritableState
  /** What TLS hands its records to. */
  readonly #below: Pick<Handle, 'writeQueueSize'> | undefined
  readonly #stream: Outgoing
  readonly #onTaken: () => void
  readonly #completed: NonNullable<WriteRequest['oncomplete']>
  /** The last write to TLS, where the system has it and nobody waits to be told so. */
  #unattended: WriteRequest | undefined

  private constructor(
    nodes: NonNullable<typeof binding>,
    socket: Socket,
    handle: Handle,
    state: WritableState,
    stream: Outgoing,
    onTaken: () => void,
  ) {
    this.#binding = nodes
    this.#socket = socket
    this.#handle = handle
    this.#state = state
    this.#below = handle._parent ?? undefined
    this.#stream = stream
    this.#onTaken = onTaken
    this.#completed = this.#once(onTaken)
  }

  /** Undefined where this Node cannot, or `socket` is none that is connected; `stream` writes to the same one. */
  static of(socket: Writable, stream: Outgoing, onTaken: () => void): HandleWrites | undefined {
    const handle = handleOf(socket)
    const state = writableStateOf(socket)
    if (binding === undefined || handle === undefined || state === undefined) return undefined
    return new HandleWrites(binding, socket as Socket, handle, state, stream, onTaken)
  }

  write(chunks: readonly Buffer[], byteLength: number): boolean {
    if (this.#state.destroyed) return false
    // From before the connection was the session's; a handle for TLS has one write at a time.
    if (this.#state.length > 0) return this.#stream.write(chunks, byteLength)
    const last = this.#unattended
    if (last !== undefined && !isOver(last)) return this.#writeAfter(last, chunks, byteLength)
    const heldBefore = this.#below === undefined ? 0 : this.#handle.writeQueueSize
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = this.#binding
    const request = last ?? takeSpare() ?? new WriteWrap()
    this.#unattended = undefined
    request.oncomplete = this.#completed
    const status =
      chunks.length === 1
        ? this.#handle.writeBuffer(request, chunks[0] as Buffer)
        : this.#handle.writev(request, chunks, true)
    if (status !== 0) {
      this.#socket.destroy(broken('write', status, request.error))
      return false
    }
    if (streamBaseState[kLastWriteWasAsync] === 0) spare = request
    else if (heldBefore === 0 && this.#hasLeftTls(byteLength)) this.#unattended = request
    else {
      request.chunks = chunks
      return false
    }
    request.oncomplete = undefined
    return true
  }

  end(): void {
    const last = this.#unattended
    if (last === undefined || isOver(last)) this.#stream.end()
    else last.oncomplete = this.#once(() => this.#stream.end())
  }

  #writeAfter(last: WriteRequest, chunks: readonly Buffer[], byteLength: number): boolean {
    last.oncomplete = this.#once(() => {
      this.#unattended = undefined
      if (this.write(chunks, byteLength)) this.#onTaken()
    })
    return false
  }

  /**
   * The system has the record that the last write became, where TLS held none before it. TLS keeps a copy until it calls the
   * write finished; what it cannot encrypt now (in a renegotiation) it keeps elsewhere.
   */
  #hasLeftTls(byteLength: number): boolean {
    if (byteLength > recordBytesMax || this.#below === undefined || this.#state.destroyed) return false
    return this.#handle.writeQueueSize >= byteLength && this.#below.writeQueueSize === 0
  }

  #once(then: () => void): NonNullable<WriteRequest['oncomplete']> {
    return (status, _, text) => {
      if (status === 0) then()
      else this.#socket.destroy(broken('write', status, text))
    }
  }
}

function isOver(request: WriteRequest): boolean {
  return request.getAsyncId() === noAsyncId
}

function takeSpare(): WriteRequest | undefined {
  const taken = spare
  spare = undefined
  return taken
}
