/** Connections whose near end is read as `SocketReads` reads, and the server at their far end. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { after, before } from 'node:test'
import { ReceiveBuffers } from '../../src/wire/receive-buffers.ts'
import { SocketReads } from '../../src/wire/socket-reads.ts'

export interface OnreadPair {
  readonly near: Socket
  readonly far: Socket
  readonly reads: SocketReads
}

/** Called in a suite: the server lives as long as that. */
export function onreadPairs(): (buffers?: ReceiveBuffers) => Promise<OnreadPair> {
  const server = createServer()
  before(() => new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve)))
  after(() => void server.close())
  return async (buffers = new ReceiveBuffers()) => {
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const reads = new SocketReads(buffers)
    const near = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1', onread: reads.onread })
    const [far] = await accepted
    far.on('error', () => undefined)
    return { near, far, reads }
  }
}
