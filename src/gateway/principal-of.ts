/** Names a client once its handshake is over: by its certificate where the listener asks for one, else ANONYMOUS. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { ListenerConfig } from '../config/config.ts'
import { anonymous, formatPrincipal } from '../identity/principal.ts'
import { parsePrincipalRules } from '../identity/principal-rules.ts'
import { verifiedSubject } from '../tls/peer-certificate.ts'

/** Throws where the client must not be served; its connection is then closed. */
export type PrincipalOf = (socket: Socket) => string

export function createPrincipalOf({ tls, principal }: ListenerConfig): PrincipalOf {
  const nameOf = parsePrincipalRules(principal.rules)
  return socket => {
    const subject =
      tls !== undefined && socket instanceof TLSSocket ? verifiedSubject(socket, tls.clientAuth) : undefined
    return formatPrincipal(subject === undefined ? anonymous : nameOf(subject))
  }
}
