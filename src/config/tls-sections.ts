/** The `tls` sections of both sides and what does not go together in them. */

import type { Secret } from '../telemetry/secret.ts'
import type { CertificateSource, FileContent, IdentitySource, ListenerTlsConfig, UpstreamTlsConfig } from './config.ts'
import { choice, flag, secret } from './formats.ts'
import { hostName } from './network-formats.ts'
import type { Place } from './place.ts'
import { type Format, optional, required, section, withDefault } from './section.ts'
import { certificates, passwordProblem, privateKey, revocationLists } from './tls-files.ts'

const minVersion = withDefault('The lowest TLS version.', choice(['TLSv1.2', 'TLSv1.3']), 'TLSv1.2')
const keyDoc = 'Private key of the certificate; none where the certificate is a PKCS#12 store.'
const keyPassword = { ...optional('Password of an encrypted key.', secret), sensitive: true }

interface Identity {
  readonly certificate?: CertificateSource | undefined
  readonly key?: FileContent | undefined
  readonly keyPassword?: Secret | undefined
}

/** What is amiss between the leaves of a certificate with its key. */
function checkIdentity({ certificate, key, keyPassword: password }: Identity, place: Place): void {
  if (certificate?.kind === 'pkcs12') {
    if (key !== undefined) place.key('key').problem('is not used: the PKCS#12 store holds the key; remove it')
    if (password !== undefined)
      place.key('keyPassword').problem('is not used: the store has its own password; remove it')
    return
  }
  if (key !== undefined) place.reading.files.examine(key, content => passwordProblem(content, password !== undefined))
  else if (certificate !== undefined) place.key('key').missing("write the file of the certificate's private key")
}

function buildIdentity({ certificate, key, keyPassword: password }: Identity): { readonly identity?: IdentitySource } {
  if (certificate?.kind === 'pkcs12') {
    return { identity: { kind: 'pkcs12', store: certificate, password: certificate.password } }
  }
  if (certificate === undefined || key === undefined) return {}
  return { identity: { kind: 'pem', certificate, key, ...(password === undefined ? {} : { keyPassword: password }) } }
}

export const upstreamTls: Format<UpstreamTlsConfig> = section(
  {
    ca: optional("Authorities that sign the brokers' certificates. Default: those Node trusts.", certificates),
    certificate: optional('Client certificate for brokers that ask for one.', certificates),
    key: optional(keyDoc, privateKey),
    keyPassword,
    serverName: optional("Name to expect in the brokers' certificates instead of the host.", hostName),
    minVersion,
    crl: optional('Revocation lists, one for each authority of the chain.', revocationLists),
    dangerouslySkipVerification: withDefault(
      'Accepts any certificate of a broker. Anybody on the way can read everything.',
      flag,
      false,
    ),
  },
  {
    check(draft, place) {
      checkIdentity(draft, place)
      if (draft.certificate === undefined && draft.key !== undefined)
        place.key('key').problem('is not used without certificate')
      if (draft.dangerouslySkipVerification)
        place.key('dangerouslySkipVerification').warning("brokers' certificates are not verified")
    },
    build: ({ ca, serverName, crl = [], minVersion: lowest, dangerouslySkipVerification, ...identity }) => ({
      ...(ca === undefined ? {} : { ca }),
      ...buildIdentity(identity),
      ...(serverName === undefined ? {} : { serverName }),
      minVersion: lowest,
      crl,
      dangerouslySkipVerification,
    }),
  },
)

export const listenerTls: Format<ListenerTlsConfig> = section(
  {
    certificate: required(
      'Certificate chain that clients see, the own certificate first.',
      certificates,
      'write the file of the certificate that clients see',
    ),
    key: optional(keyDoc, privateKey),
    keyPassword,
    clientCa: optional("Authorities that sign clients' certificates.", certificates),
    clientAuth: optional('Whether clients show a certificate. Default: none.', choice(['none', 'request', 'require'])),
    minVersion,
    crl: optional("Revocation lists for clients' certificates, one for each authority of the chain.", revocationLists),
  },
  {
    check(draft, place) {
      checkIdentity(draft, place)
      checkClientAuth(draft, place)
    },
    build: ({ clientCa, clientAuth = 'none', minVersion: lowest, crl = [], ...identity }) => ({
      identity: buildIdentity(identity).identity!,
      ...(clientCa === undefined ? {} : { clientCa }),
      clientAuth,
      minVersion: lowest,
      crl,
    }),
  },
)

interface ClientAuthDraft {
  readonly clientAuth?: ListenerTlsConfig['clientAuth'] | undefined
  readonly clientCa?: unknown
  readonly crl?: unknown
}

/** Whoever names authorities believes that clients are checked: without clientAuth that belief would be wrong. */
function checkClientAuth({ clientAuth, clientCa, crl }: ClientAuthDraft, place: Place): void {
  const asks = clientAuth === 'request' || clientAuth === 'require'
  if (asks && clientCa === undefined) {
    place
      .key('clientCa')
      .missing(`clientAuth is ${clientAuth}: write the file of the authorities that sign clients' certificates`)
  }
  if (asks) return
  for (const [key, value] of Object.entries({ clientCa, crl })) {
    if (value === undefined) continue
    if (clientAuth === 'none') place.key(key).warning('is not used: clientAuth is none')
    else place.key(key).problem('is not used without clientAuth: write clientAuth: require (or request)')
  }
}
