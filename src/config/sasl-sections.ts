/** The `sasl` sections of both sides and what does not go together in them. */
import { urlFlaw } from '../identity/fetch-document.ts'
import { parseKeySet } from '../identity/key-set.ts'
import { parseMappedCredentials } from '../identity/mapped-credentials.ts'
import { tokenAlgorithms } from '../identity/token-judge.ts'
import { parseUsers } from '../identity/users.ts'
import { mechanisms as knownMechanisms } from '../sasl/conversation.ts'
import { loadTrust } from '../tls/trust.ts'
import type {
  BearerConfig,
  CertificateSource,
  FileContent,
  ListenerConfig,
  ListenerSaslConfig,
  OwnCredentialConfig,
  UpstreamSaslConfig,
  UpstreamTlsConfig,
} from './config.ts'
import { choice, duration, listOf, secret, text } from './formats.ts'
import type { Place } from './place.ts'
import { type Draft, type Format, optional, required, section, withDefault } from './section.ts'
import { certificates, contentFile } from './tls-files.ts'

const mechanism = choice(knownMechanisms)

const httpsUrl: Format<string> = {
  name: 'https URL',
  read(value, place) {
    const url = text.read(value, place)
    const flaw = url === undefined ? undefined : urlFlaw(url)
    return flaw === undefined ? url : place.problem(`${place.shown(value)} ${flaw}: write https://…`)
  },
}

const jwks: Format<BearerConfig['jwks']> = {
  name: 'file or https URL',
  read(value, place) {
    if (typeof value === 'string' && /^[a-z][a-z0-9+.-]*:/i.test(value)) {
      const url = httpsUrl.read(value, place)
      return url === undefined ? undefined : { kind: 'url', url }
    }
    const file = contentFile.read(value, place)
    if (file === undefined) return undefined
    place.reading.files.expect([file], place, () => parseKeySet(file.content.toString('utf8')))
    return { kind: 'file', file }
  },
}

function proveAuthorities(ca: CertificateSource, place: Place): void {
  const { files, now } = place.reading
  files.expect([ca], place, () => loadTrust(ca, { crl: [], now, side: 'client' }))
}

const bearer: Format<BearerConfig> = section(
  {
    jwks: required("The issuer's public keys.", jwks, 'write the file or the https URL of the key set'),
    ca: optional(
      "Authorities that sign the certificate of the key set's URL. Default: those Node trusts.",
      certificates,
    ),
    issuer: required('iss of every token.', text, 'write the iss of your tokens'),
    audience: required('aud of every token.', text, 'write the aud of tokens for this cluster'),
    algorithms: withDefault('Signatures that are believed.', listOf(choice(tokenAlgorithms)), [
      'RS256',
      'ES256',
      'PS256',
    ]),
    principalClaim: withDefault('The claim that names the client.', text, 'sub'),
    scope: optional('A scope that tokens must have.', text),
  },
  {
    check({ jwks: keys, ca }, place) {
      if (ca === undefined || keys === undefined) return
      if (keys.kind === 'file') place.key('ca').problem('is not used: jwks is a file')
      else proveAuthorities(ca, place.key('ca'))
    },
    build: ({ scope, ca, ...rest }) => ({
      ...rest,
      ...(ca === undefined ? {} : { ca }),
      ...(scope === undefined ? {} : { scope }),
    }),
  },
)

const listenerSaslLeaves = {
  mechanisms: required(
    'Mechanisms that clients may use.',
    listOf(mechanism),
    `write a list of ${knownMechanisms.join(', ')}`,
  ),
  users: optional('Users with their verifiers, for all but OAUTHBEARER; vkitm users writes it.', contentFile),
  oauthbearer: optional('Whose tokens are believed.', bearer),
  sessionLifetime: optional(
    'After this time a client must log in again (KIP-368); a token that ends sooner counts. Default: never.',
    duration,
  ),
} as const

export const listenerSasl: Format<ListenerSaslConfig> = section(listenerSaslLeaves, {
  check: checkListenerSasl,
  build: ({ mechanisms, users, oauthbearer, sessionLifetime }) => ({
    mechanisms: knownMechanisms.filter(one => mechanisms.includes(one)),
    ...(users === undefined ? {} : { users }),
    ...(oauthbearer === undefined ? {} : { oauthbearer }),
    ...(sessionLifetime === undefined ? {} : { sessionLifetime }),
  }),
})

function checkListenerSasl(draft: Draft<typeof listenerSaslLeaves>, place: Place): void {
  const { mechanisms, users, oauthbearer } = draft
  if (users !== undefined)
    place.reading.files.expect([users], place.key('users'), () =>
      parseUsers(users.content.toString('utf8'), users.path),
    )
  if (mechanisms === undefined || place.key('mechanisms').hasProblem) return
  const usesPasswords = mechanisms.some(one => one !== 'OAUTHBEARER')
  const usesTokens = mechanisms.includes('OAUTHBEARER')
  if (usesPasswords && users === undefined) place.key('users').missing('write the file that vkitm users add wrote')
  if (usesTokens && oauthbearer === undefined)
    place.key('oauthbearer').missing('OAUTHBEARER needs jwks, issuer and audience')
  if (!usesPasswords && users !== undefined) place.key('users').problem('is not used: OAUTHBEARER alone is enabled')
  if (!usesTokens && oauthbearer !== undefined)
    place.key('oauthbearer').problem('is not used: OAUTHBEARER is not among mechanisms')
}

const tokenLeaves = {
  tokenEndpoint: optional('Where tokens are asked for (client credentials).', httpsUrl),
  clientId: optional('With tokenEndpoint.', text),
  clientSecret: { ...optional('With tokenEndpoint.', secret), sensitive: true },
  scope: optional('With tokenEndpoint: the scope to ask for.', text),
  ca: optional('With tokenEndpoint: authorities that sign its certificate. Default: those Node trusts.', certificates),
  tokenFile: optional('A file with a token; read at every login.', contentFile),
} as const

const tokens: Format<OwnCredentialConfig> = section(tokenLeaves, {
  check({ tokenEndpoint, tokenFile, clientId, clientSecret, scope, ca }, place) {
    if (ca !== undefined && tokenEndpoint !== undefined) proveAuthorities(ca, place.key('ca'))
    if ((tokenEndpoint === undefined) === (tokenFile === undefined) && !place.hasProblem)
      place.problem('write either tokenEndpoint, clientId and clientSecret, or tokenFile')
    for (const [key, value] of Object.entries({ clientId, clientSecret })) {
      if (tokenEndpoint !== undefined && value === undefined) place.key(key).missing('tokenEndpoint asks who we are')
    }
    for (const [key, value] of Object.entries({ clientId, clientSecret, scope, ca })) {
      if (tokenFile !== undefined && value !== undefined) place.key(key).problem('is not used with tokenFile')
    }
  },
  build: ({ tokenEndpoint, clientId, clientSecret, scope, ca, tokenFile }) =>
    tokenFile !== undefined
      ? { kind: 'tokenFile', file: tokenFile }
      : {
          kind: 'tokenEndpoint',
          tokenEndpoint: tokenEndpoint!,
          clientId: clientId!,
          clientSecret: clientSecret!,
          ...(scope === undefined ? {} : { scope }),
          ...(ca === undefined ? {} : { ca }),
        },
})

const upstreamSaslLeaves = {
  mode: required(
    "Whose login brokers see: the gateway's (service), one for each principal (mapped), or the client's own (passthrough).",
    choice(['service', 'mapped', 'passthrough']),
    'write service, mapped or passthrough',
  ),
  mechanism: required('The mechanism of our own logins.', mechanism, `write one of ${knownMechanisms.join(', ')}`),
  username: optional("The gateway's own user, in every mode.", text),
  password: { ...optional('Its password.', secret), sensitive: true },
  oauthbearer: optional('Where its tokens come from.', tokens),
  credentials: optional('With mapped: JSON, principal → username and password.', contentFile),
} as const

export const upstreamSasl: Format<UpstreamSaslConfig> = section(upstreamSaslLeaves, {
  check: checkUpstream,
  build: ({ mode, mechanism: chosen, username, password, oauthbearer, credentials }) => ({
    mode,
    mechanism: chosen,
    own: oauthbearer ?? { kind: 'password', username: username!, password: password! },
    ...(credentials === undefined ? {} : { credentials }),
  }),
})

function checkUpstream(draft: Draft<typeof upstreamSaslLeaves>, place: Place): void {
  const { mode, mechanism: chosen, username, password, oauthbearer, credentials } = draft
  if (chosen === 'OAUTHBEARER') {
    if (oauthbearer === undefined)
      place.key('oauthbearer').missing('write tokenFile, or tokenEndpoint, clientId, clientSecret')
    unused({ username, password }, 'mechanism is OAUTHBEARER', place)
    if (mode === 'mapped') place.key('mode').problem('mapped needs PLAIN or SCRAM: a token cannot be mapped')
  } else if (chosen !== undefined) {
    if (username === undefined) place.key('username').missing("the gateway's own user")
    if (password === undefined) place.key('password').missing(`write \${env:NAME} or \${file:PATH}`)
    unused({ oauthbearer }, `mechanism is ${chosen}`, place)
  }
  if (mode === 'mapped') proveCredentials(credentials, place.key('credentials'))
  else if (mode !== undefined) unused({ credentials }, `mode is ${mode}`, place)
}

function unused(values: Readonly<Record<string, unknown>>, why: string, place: Place): void {
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined) place.key(key).problem(`is not used: ${why}`)
  }
}

function proveCredentials(file: FileContent | undefined, place: Place): void {
  if (file === undefined) return place.missing('write the file that gives each principal its username and password')
  place.reading.files.expect([file], place, () => parseMappedCredentials(file.content.toString('utf8'), file.path))
}

/** A password that goes to a broker in the clear is said so. */
export function checkUpstreamSasl(
  sasl: UpstreamSaslConfig | undefined,
  tls: UpstreamTlsConfig | undefined,
  place: Place,
): void {
  if (sasl === undefined || tls !== undefined || place.key('tls').hasProblem) return
  const isOpen = sasl.mechanism === 'PLAIN' || sasl.mechanism === 'OAUTHBEARER' || sasl.mode === 'passthrough'
  const what = isOpen ? 'sends secrets as they are' : 'lets whoever listens guess passwords'
  place.key('sasl').warning(`without upstream.tls ${what} between the gateway and the brokers`)
}

export function checkPassthrough(listeners: readonly ListenerConfig[] | undefined, place: Place): void {
  listeners?.forEach((listener, index) => {
    const where = place.key('listeners').item(index)
    if (listener.sasl !== undefined)
      where.key('sasl').problem('ends logins here, and upstream.sasl.mode is passthrough: remove one of them')
    if (listener.tls === undefined)
      where.warning('has no tls: only SCRAM logins are passed on there, and whoever listens can guess passwords')
  })
}
