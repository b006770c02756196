/**
 * Reads below a socket's stream, into buffers of ours. Node has an option for that (`onread`) for sockets that it dials, but
 * none for those that it accepts, nor for TLS; and where it is given, Node looks at the stream again for every read. Ends and
 * errors stay the stream's.
 */
import type { Socket } from 'node:net'
import { binding, broken, type Handle, handleOf } from './node-handles.ts'

export interface HandleReader {
  /** False: nothing is read any more, until the socket's `_read` is called. */
  readonly isReading: boolean
  /** So many bytes are in the buffer that is read into; gives the next one, undefined where that is the same again. */
  received(bytes: number): Buffer | undefined
}

/** Those that have a reader: a second one would take what is the first's. */
const taken = new WeakSet<Handle>()

/**
 * From now on what comes on `socket` is read into `first` and told to `reader`, whatever its stream holds already. False where
 * this Node cannot, or it has a reader.
 */
export function readBy(socket: Socket, first: Buffer, reader: HandleReader): boolean {
  const handle = handleOf(socket)
  if (binding === undefined || handle === undefined || taken.has(handle)) return false
  taken.add(handle)
  const { streamBaseState, kReadBytesOrError } = binding
  const readByNode = handle.onread
  handle.useUserBuffer(first)
  handle.onread = ownBytes => {
    const bytes = streamBaseState[kReadBytesOrError] as number
    if (bytes <= 0) return readByNode.call(handle, ownBytes)
    const next = reader.received(bytes)
    if (!reader.isReading) stop(socket)
    return next
  }
  return true
}

function stop(socket: Socket): void {
  // None where it was destroyed meanwhile.
  const handle = handleOf(socket)
  if (handle === undefined) return
  handle.reading = false
  const status = handle.readStop()
  if (status !== 0) socket.destroy(broken('read', status))
}
