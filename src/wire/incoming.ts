import type { Socket } from 'node:net'
import { Inbound } from './inbound.ts'
import type { ReceiveBuffers } from './receive-buffers.ts'
import { type OnChunk, type Slabs, SocketReads } from './socket-reads.ts'

/** What comes in on one connection, handed over as it arrives. */
export interface Incoming {
  readonly isReading: boolean
  pause(): void
  resume(): void
  /** The first frame that was handed over is complete: what gives back what it lies in, undefined where that is nobody's. */
  frameEnded(): (() => void) | undefined
  /** The connection is over. */
  end(): void
}

/** Of a socket that is connected: into `buffers` where this Node can, else through its stream. */
export function readFrom(socket: Socket, buffers: ReceiveBuffers, slabs: Slabs, onChunk: OnChunk): Incoming {
  return SocketReads.of(socket, buffers, slabs, onChunk) ?? new Inbound(socket, onChunk)
}
