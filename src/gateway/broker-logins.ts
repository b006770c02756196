/** How the gateway logs in at one cluster's brokers, for itself and for its clients; credentials are read again when they change. */
import type { OwnCredentialConfig, UpstreamSaslConfig } from '../config/config.ts'
import type { Reloadable } from '../config/reloadable.ts'
import { pathsIn, reread } from '../config/reread.ts'
import { UpstreamError } from '../errors.ts'
import type { Fetch } from '../identity/fetch-document.ts'
import { type MappedCredentials, parseMappedCredentials } from '../identity/mapped-credentials.ts'
import type { Mechanism, SaslClientSession } from '../sasl/conversation.ts'
import { BearerClient } from '../sasl/oauthbearer.ts'
import { PlainClient } from '../sasl/plain.ts'
import { ScramClient } from '../sasl/scram-client.ts'
import type { Trust } from '../tls/trust.ts'
import type { LoginOptions } from '../upstream/authenticated-connection.ts'
import { endpointTokenSource, fileTokenSource, type TokenSource } from '../upstream/token-source.ts'
import { nonce, random } from './chance.ts'
import { httpsFetch, trustIn } from './https-fetch.ts'

export class BrokerLogins implements Reloadable {
  readonly name: string
  readonly files: readonly string[]
  /** The gateway's own. */
  readonly own: LoginOptions
  /** For a client's connection; throws where its principal has no credential. Absent where clients log in themselves. */
  readonly forPrincipal: ((principal: string) => LoginOptions) | undefined
  readonly #config: UpstreamSaslConfig
  readonly #timeoutMs: number
  #mapped: MappedCredentials
  /** For the token endpoint. */
  #trust: Trust | undefined

  constructor(cluster: string, config: UpstreamSaslConfig, timeoutMs: number) {
    this.name = `credentials of ${cluster}`
    this.#config = config
    this.#timeoutMs = timeoutMs
    this.files = pathsIn([config.credentials, caOf(config)])
    this.#trust = trustIn(caOf(config))
    const fetch = httpsFetch(() => this.#trust)
    this.own = { begin: ownLogin(config.mechanism, config.own, fetch), timeoutMs, random }
    this.#mapped = mappedOf(config)
    if (config.mode === 'service') this.forPrincipal = () => this.own
    if (config.mode === 'mapped') this.forPrincipal = principal => this.#loginOf(principal)
  }

  get isPassthrough(): boolean {
    return this.#config.mode === 'passthrough'
  }

  /** Open connections stay who they are; the next login uses what was read. */
  async reload(): Promise<void> {
    const fresh = await reread(this.#config, this.name)
    const [mapped, trust] = [mappedOf(fresh), trustIn(caOf(fresh))]
    this.#mapped = mapped
    this.#trust = trust
  }

  /** Looked up at every login: a credential that was taken away ends with the next one. */
  #loginOf(principal: string): LoginOptions {
    const begin = async (): Promise<SaslClientSession> => {
      const { username, password } = this.#credentialOf(principal)
      return passwordLogin(this.#config.mechanism, username, password.reveal())
    }
    // Whoever has none is refused before a broker is dialled.
    this.#credentialOf(principal)
    return { begin, timeoutMs: this.#timeoutMs, random }
  }

  #credentialOf(principal: string) {
    const found = this.#mapped.get(principal)
    if (found !== undefined) return found
    throw new UpstreamError('VKITM_UPSTREAM_NO_CREDENTIAL', 'the principal has no entry in upstream.sasl.credentials', {
      retriable: false,
      details: { principal },
    })
  }
}

function mappedOf({ mode, credentials }: UpstreamSaslConfig): MappedCredentials {
  if (mode !== 'mapped' || credentials === undefined) return new Map()
  return parseMappedCredentials(credentials.content.toString('utf8'), credentials.path)
}

const caOf = ({ own }: UpstreamSaslConfig) => (own.kind === 'tokenEndpoint' ? own.ca : undefined)

function ownLogin(mechanism: Mechanism, own: OwnCredentialConfig, fetch: Fetch): () => Promise<SaslClientSession> {
  if (own.kind === 'password') return async () => passwordLogin(mechanism, own.username, own.password.reveal())
  const source = tokenSourceOf(own, fetch)
  return async () => new BearerClient(await source.token(), () => source.refused())
}

function tokenSourceOf(own: Exclude<OwnCredentialConfig, { kind: 'password' }>, fetch: Fetch): TokenSource {
  if (own.kind === 'tokenFile') return fileTokenSource(own.file.path)
  const { tokenEndpoint: url, clientId, clientSecret, scope } = own
  return endpointTokenSource({ url, clientId, clientSecret, scope, fetch, now: () => performance.now() })
}

function passwordLogin(mechanism: Mechanism, username: string, password: string): SaslClientSession {
  if (mechanism === 'SCRAM-SHA-256' || mechanism === 'SCRAM-SHA-512')
    return new ScramClient({ mechanism, username, password, nonce })
  return new PlainClient(username, password)
}
