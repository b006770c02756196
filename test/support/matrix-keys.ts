/** A cell's configuration: as README's tables write it, where they have the row. */
import type { Cell, Side } from './matrix-cells.ts'

type Keys = Readonly<Record<string, unknown>>

const own = { certificate: 'certs/gateway.pem', key: 'certs/gateway.key' }
const frontTls: Readonly<Record<Side['transport'], Keys>> = {
  plaintext: {},
  TLS: { tls: own },
  mTLS: { tls: { ...own, clientCa: 'certs/clients-ca.pem', clientAuth: 'require' } },
}

/** In the listener. */
export function frontKeys({ transport, login }: Side): Keys {
  const named = transport === 'mTLS' && login === 'none'
  return {
    ...frontTls[transport],
    ...(named ? { principal: { rules: ['RULE:^CN=([^,]+).*$/$1/', 'DEFAULT'] } } : {}),
    ...(login === 'none' ? {} : { sasl: frontLogin({ transport, login }) }),
  }
}

function frontLogin({ transport, login }: Side): Keys {
  if (login === 'OAUTHBEARER') {
    const oauthbearer = { jwks: 'certs/jwks.json', issuer: 'https://login.example.com', audience: 'kafka' }
    return { mechanisms: [login], oauthbearer }
  }
  const both = login !== 'PLAIN' && transport !== 'plaintext'
  return { mechanisms: both ? ['SCRAM-SHA-256', 'SCRAM-SHA-512'] : [login], users: 'certs/users.json' }
}

const ca = 'certs/upstream-ca.pem'
const certified = { ca, certificate: 'certs/gateway-client.pem', key: 'certs/gateway-client.key' }
const backTls: Readonly<Record<Side['transport'], Keys>> = {
  plaintext: {},
  TLS: { tls: { ca } },
  mTLS: { tls: certified },
}
const mappedTls = { tls: { ...certified, certificates: 'certs/upstream-certificates.json' } }
const password = '${env:VKITM_UPSTREAM_PASSWORD}'
export const tokenEndpoint = 'https://login.example.com/token'

/** Under `upstream`. */
export function backKeys({ back: { transport, login }, mode }: Pick<Cell, 'back' | 'mode'>): Keys {
  const credential =
    login === 'OAUTHBEARER'
      ? { oauthbearer: { tokenEndpoint, clientId: 'gateway', clientSecret: password } }
      : { username: 'gateway', password }
  const credentials = mode === 'mapped' ? { credentials: 'certs/upstream-users.json' } : {}
  if (login === 'none') return mode === 'mapped' ? mappedTls : backTls[transport]
  return { ...backTls[transport], sasl: { mode, mechanism: login, ...credential, ...credentials } }
}
