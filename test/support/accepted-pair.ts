/** A connection that was accepted, on TCP or on TLS, and its peer. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls'
import { createRoot, issueServer } from '../../src/tls/certificate-authority.ts'

export interface AcceptedPair {
  readonly near: Socket
  readonly far: Socket
  /** `far` is gone without a word. */
  reset(): number
  close(): void
}

function identity(): { readonly cert: string; readonly key: string } {
  const now = new Date()
  const root = createRoot({ subject: 'CN=root', now, days: 2 })
  const { chain, key } = issueServer(root, { names: ['localhost'], now, days: 2 })
  return { cert: chain.join(''), key }
}

/** `far` does not end its side because `near` did. */
export async function acceptedPair(isTls: boolean): Promise<AcceptedPair> {
  const server = isTls ? createTlsServer(identity()) : createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const arrived = once(server, isTls ? 'secureConnection' : 'connection') as Promise<[Socket]>
  const options = { host: '127.0.0.1', port: (server.address() as { port: number }).port, allowHalfOpen: true }
  const tcp = connect(options)
  const far = isTls ? tlsConnect({ socket: tcp, rejectUnauthorized: false }) : tcp
  for (const socket of [tcp, far]) socket.on('error', () => undefined)
  const [near] = await arrived
  return {
    near,
    far,
    // Not by `resetAndDestroy`, which ends in order where TLS is above it.
    reset: () => (tcp as unknown as { readonly _handle: { reset(): number } })._handle.reset(),
    close() {
      near.destroy()
      far.destroy()
      server.close()
    },
  }
}
