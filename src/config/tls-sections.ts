/** The `tls` sections of both sides and what does not go together in them. */
import { loadTrust, type TrustOptions } from '../tls/trust.ts'
import type { CertificateSource, FileContent, ListenerTlsConfig, UpstreamTlsConfig } from './config.ts'
import { choice, flag } from './formats.ts'
import { checkIdentity, type IdentityDraft, identityOf, keyLeaves } from './identity-leaves.ts'
import { mappingIn, readMappedIdentities } from './mapped-identities.ts'
import { hostName } from './network-formats.ts'
import type { Place } from './place.ts'
import { type Format, optional, required, section, withDefault } from './section.ts'
import { certificates, contentFile, pemFiles } from './tls-files.ts'

const minVersion = withDefault('The lowest TLS version.', choice(['TLSv1.2', 'TLSv1.3']), 'TLSv1.2')

export const upstreamTls: Format<UpstreamTlsConfig> = section(
  {
    ca: optional("Authorities that sign the brokers' certificates. Default: those Node trusts.", certificates),
    certificate: optional('Client certificate for brokers that ask for one.', certificates),
    ...keyLeaves,
    certificates: optional(
      'A client certificate for each principal: JSON, principal → certificate and key. Who is not in it is closed.',
      contentFile,
    ),
    serverName: optional("Name to expect in the brokers' certificates instead of the host.", hostName),
    minVersion,
    crl: optional('Revocation lists, one for each authority of the chain.', pemFiles),
    dangerouslySkipVerification: withDefault(
      'Accepts any certificate of a broker: anybody on the way can read and change everything.',
      flag,
      false,
    ),
  },
  {
    check(draft, place) {
      checkIdentity(draft, place, 'client')
      checkMapped(draft, place)
      if (draft.dangerouslySkipVerification) checkSkipped(draft, place)
      else if (draft.ca !== undefined) proveTrust('client', draft.ca, draft.crl, place.key('ca'))
      else if (draft.crl !== undefined) place.key('ca').missing('crl holds the revocation lists of these authorities')
    },
    build: ({
      ca,
      certificates: mapped,
      serverName,
      crl = [],
      minVersion: lowest,
      dangerouslySkipVerification,
      keyPermissions,
      ...rest
    }) => {
      const identity = identityOf(rest)
      return {
        ...(ca === undefined ? {} : { ca }),
        ...(identity === undefined ? {} : { identity }),
        ...(mapped === undefined ? {} : { certificates: mapped }),
        ...(serverName === undefined ? {} : { serverName }),
        minVersion: lowest,
        crl,
        dangerouslySkipVerification,
        keyPermissions,
      }
    },
  },
)

export const listenerTls: Format<ListenerTlsConfig> = section(
  {
    certificate: required(
      'Certificate chain that clients see, the own certificate first.',
      certificates,
      'write the file of the certificate that clients see',
    ),
    ...keyLeaves,
    clientCa: optional("Authorities that sign clients' certificates.", certificates),
    clientAuth: optional('Whether clients show a certificate. Default: none.', choice(['none', 'request', 'require'])),
    minVersion,
    crl: optional("Revocation lists for clients' certificates, one for each authority of the chain.", pemFiles),
  },
  {
    check(draft, place) {
      checkIdentity(draft, place, 'server')
      checkClientAuth(draft, place)
    },
    build: ({ clientCa, clientAuth = 'none', minVersion: lowest, crl = [], keyPermissions, ...rest }) => ({
      identity: identityOf(rest)!,
      ...(clientCa === undefined ? {} : { clientCa }),
      clientAuth,
      minVersion: lowest,
      crl,
      keyPermissions,
    }),
  },
)

interface MappedDraft extends IdentityDraft {
  readonly certificates?: FileContent | undefined
}

/** The gateway asks for metadata as itself, whoever its clients are. */
function checkMapped({ certificate, certificates: file, keyPermissions }: MappedDraft, place: Place): void {
  if (file === undefined) return
  const { files, now } = place.reading
  if (certificate === undefined && !place.key('certificate').hasProblem)
    place.key('certificate').missing("write the gateway's own: it asks for metadata as itself, whoever its clients are")
  files.expect([file], place.key('certificates'), () =>
    readMappedIdentities(file, mappingIn(file), { now, keyPermissions }),
  )
}

interface TrustDraft {
  readonly ca?: CertificateSource | undefined
  readonly clientCa?: CertificateSource | undefined
  readonly crl?: readonly FileContent[] | undefined
}

interface ClientAuthDraft extends TrustDraft {
  readonly clientAuth?: ListenerTlsConfig['clientAuth'] | undefined
}

function proveTrust(
  side: TrustOptions['side'],
  ca: CertificateSource,
  crl: readonly FileContent[] = [],
  place: Place,
): void {
  const { files, now } = place.reading
  files.expect([ca, ...crl], place, () => loadTrust(ca, { crl, now, side }))
}

function checkSkipped({ ca, crl }: TrustDraft, place: Place): void {
  place.key('dangerouslySkipVerification').warning("brokers' certificates are not verified")
  for (const [key, value] of Object.entries({ ca, crl })) {
    if (value !== undefined) place.key(key).problem('is not used with dangerouslySkipVerification: remove one of them')
  }
}

/** Whoever names authorities believes that clients are checked: without clientAuth that belief would be wrong. */
function checkClientAuth({ clientAuth, clientCa, crl }: ClientAuthDraft, place: Place): void {
  const asks = clientAuth === 'request' || clientAuth === 'require'
  if (asks && clientCa !== undefined) proveTrust('server', clientCa, crl, place.key('clientCa'))
  else if (asks) {
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
