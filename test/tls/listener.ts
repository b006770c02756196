// A listener of ours with the certificates of `authorities.ts`, and what a client needs to talk to it.
import { verifiedName } from '../../src/tls/peer-certificate.ts'
import { type ClientAuth, loadServerTls, type ServerTlsSource } from '../../src/tls/server-context.ts'
import { identityOf, now, pem, root, server } from './authorities.ts'
import { serve } from './connections.ts'

export const loading = { scope: 'clients', handshakeTimeoutMs: 10_000, now }
export const source = (changes: Partial<ServerTlsSource> = {}): ServerTlsSource => ({
  identity: identityOf(server),
  clientAuth: 'none',
  minVersion: 'TLSv1.2',
  crl: [],
  ...changes,
})
export const trusting = { ca: root.certificate, servername: 'localhost' }

/** Greets with the subject that the client's certificate proves. */
export const mutual = (clientAuth: ClientAuth, changes: Partial<ServerTlsSource> = {}) => {
  const loaded = loadServerTls(source({ clientAuth, clientCa: pem('ca.pem', root.certificate), ...changes }), loading)
  return serve(loaded.serverOptions, socket => String(verifiedName(socket, { clientAuth, now: new Date() })))
}
export const asClient = (issued: { chain: readonly string[]; key: string }) => ({
  cert: issued.chain.join(''),
  key: issued.key,
})
