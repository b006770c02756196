/** Names a client once its handshake is over: by its certificate where the listener asks for one, else ANONYMOUS. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { ListenerConfig } from '../config/config.ts'
import { anonymous, formatPrincipal } from '../identity/principal.ts'
import { parsePrincipalRules } from '../identity/principal-rules.ts'
import { verifiedName } from '../tls/peer-certificate.ts'
import type { RevocationList } from '../tls/revocation-list.ts'

/** Throws where the client must not be served; its connection is then closed. */
export type PrincipalOf = (socket: Socket) => string

/** `revocations` gives the lists in force: a session that resumes is judged by them, not by those of its handshake. */
export function createPrincipalOf(
  { tls, principal: { from = 'subject', rules } }: ListenerConfig,
  revocations: () => readonly RevocationList[] = () => [],
): PrincipalOf {
  const nameOf = parsePrincipalRules(rules)
  return socket => {
    const name =
      tls !== undefined && socket instanceof TLSSocket
        ? verifiedName(socket, { clientAuth: tls.clientAuth, from, revocations: revocations(), now: new Date() })
        : undefined
    return formatPrincipal(name === undefined ? anonymous : nameOf(name))
  }
}
