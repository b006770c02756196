/** The clients of one listener that have not logged in yet, and what is remembered of their login once they have. */
import { Authentication } from '../downstream/authentication.ts'
import type { EarlyContext } from '../downstream/early-requests.ts'
import { LaterLogins } from '../downstream/later-logins.ts'
import type { Arrival } from '../downstream/listener.ts'
import type { LoginContext, LoginFailure, LoginPeer } from '../downstream/login.ts'
import { Passthrough, type Relayed } from '../downstream/passthrough.ts'
import { Reauthentication } from '../downstream/reauthentication.ts'
import { ignored, type Upstream, type UpstreamEvents } from '../downstream/upstream.ts'
import { formatPrincipal, userPrincipal } from '../identity/principal.ts'
import type { Client } from '../pipeline/exchange.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Stage } from '../pipeline/stage.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { type ApiVersionsResponse, apiVersionsResponseDefaults } from '../protocol/generated/api-versions-response.ts'
import { advertised } from '../rewrite/api-versions.ts'
import type { Shared } from './clients.ts'
import type { Cluster } from './cluster.ts'
import type { ListenerLogins } from './listener-logins.ts'

export interface FrontOptions {
  /** Absent: clients log in at the brokers. */
  readonly logins: ListenerLogins | undefined
  readonly cluster: Cluster
  readonly shared: Shared
}

type Known = Omit<Client, 'principal'>

export class Front {
  /** Later logins on a connection. */
  readonly stage: Stage
  readonly #options: FrontOptions
  readonly #login: LoginContext | undefined
  readonly #again: Reauthentication | undefined
  readonly #later: LaterLogins | undefined
  readonly #links = new WeakMap<Client, Relayed['adopt']>()
  readonly #waiting = new Set<Authentication | Passthrough>()
  #pipeline: Pipeline | undefined

  constructor(options: FrontOptions) {
    this.#options = options
    const { guard, limits, now } = options.shared
    const onFailed: LoginContext['onFailed'] = (failure, peer) => this.#failed(failure, peer)
    this.#login = options.logins?.context({ guard, onFailed })
    if (this.#login === undefined) {
      this.#later = new LaterLogins(onFailed)
      this.stage = this.#later
    } else {
      this.#again = new Reauthentication({ ...this.#login, now, graceMs: limits.reauthTimeout })
      this.stage = this.#again
    }
  }

  use(pipeline: Pipeline): void {
    this.#pipeline = pipeline
  }

  /** `begin` is called once the client has logged in; its socket is paused then. */
  arrived(socket: Arrival['socket'], known: Known, begin: (client: Client) => void): void {
    const onClosed = (): void => void this.#waiting.delete(waiting)
    const waiting =
      this.#login === undefined
        ? this.#passOn(socket, known, { begin, onClosed })
        : this.#authenticate(socket, known, { begin, onClosed })
    this.#waiting.add(waiting)
  }

  /** The broker connection that the client logged in on; undefined where there is none. */
  adopt(client: Client, events: UpstreamEvents): Upstream | undefined {
    return this.#links.get(client)?.(events)
  }

  close(): void {
    for (const waiting of [...this.#waiting]) waiting.destroy()
  }

  #authenticate(socket: Arrival['socket'], known: Known, { begin, onClosed }: Events): Authentication {
    const context = { ...this.#early(), ...this.#login!, versions: () => this.#versions() }
    return new Authentication(socket, known, context, {
      onClosed,
      onLoggedIn: loggedIn => {
        onClosed()
        const client = this.#clientOf(known, loggedIn.name)
        if (client === undefined) return void socket.destroy()
        this.#again!.begin(client, loggedIn)
        begin(client)
      },
    })
  }

  #passOn(socket: Arrival['socket'], known: Known, { begin, onClosed }: Events): Passthrough {
    const { cluster, shared } = this.#options
    const context = {
      ...this.#early(),
      openLink: cluster.links.openUnauthenticated.bind(cluster.links),
      answerTimeoutMs: shared.limits.connectTimeout,
      guard: shared.guard,
      onFailed: this.#failed.bind(this),
    }
    return new Passthrough(socket, known, context, {
      onClosed,
      onLoggedIn: relayed => {
        onClosed()
        const client = this.#clientOf(known, relayed.name)
        if (client === undefined) {
          relayed.adopt(ignored).destroy()
          return void socket.destroy()
        }
        this.#later!.begin(client, relayed)
        // Until the session's first request wants it, the broker's connection ends with the client's, and the other way round.
        let isAdopted = false
        const link = relayed.adopt({ onWritable: () => undefined, onClosed: () => socket.destroy() })
        socket.once('close', () => {
          if (!isAdopted) link.destroy()
        })
        this.#links.set(client, events => {
          isAdopted = true
          return relayed.adopt(events)
        })
        begin(client)
      },
    })
  }

  #failed(failure: LoginFailure, { listener, connection, address: client, nodeId, principal }: LoginPeer): void {
    const { metrics, strangers } = this.#options.shared
    metrics.error('login')
    strangers.warn({ listener, connection, client, nodeId, principal, details: { ...failure } }, 'login failed')
  }

  /** Undefined where the name is none that a principal may have: a broker, or a token, may have agreed to it. */
  #clientOf(known: Known, name: string): Client | undefined {
    try {
      return Object.freeze({ ...known, principal: formatPrincipal(userPrincipal(name)) })
    } catch (err) {
      const { metrics, strangers } = this.#options.shared
      metrics.error('principal')
      strangers.warn(
        { listener: known.listener, connection: known.connection, client: known.address, err },
        'client has no principal',
      )
      return undefined
    }
  }

  #early(): EarlyContext & { readonly pipeline: Pipeline } {
    const { limits, sweep, metrics, strangers: log, now } = this.#options.shared
    return { limits, sweep, metrics, log, now, pipeline: this.#pipeline! }
  }

  /** What brokers were heard to serve, as far as it is served here; the login is the gateway's own. */
  async #versions(): Promise<ApiVersionsResponse | undefined> {
    const { cluster, shared } = this.#options
    await cluster.view.waitForSnapshot(AbortSignal.timeout(shared.limits.connectTimeout))
    const { versions } = cluster.view
    if (versions === undefined) return undefined
    const { served } = this.#pipeline!
    const ours = [ApiKey.SaslHandshake, ApiKey.SaslAuthenticate].map(apiKey => {
      const { min, max } = served.versionsOf(apiKey)!
      return { apiKey, minVersion: min, maxVersion: max }
    })
    const theirs = versions.apiKeys.filter(({ apiKey }) => !ours.some(own => own.apiKey === apiKey))
    const apiKeys = [...advertised(served, theirs), ...ours].sort((one, other) => one.apiKey - other.apiKey)
    const { supportedFeatures, finalizedFeaturesEpoch, finalizedFeatures } = versions
    return {
      ...apiVersionsResponseDefaults(),
      apiKeys,
      supportedFeatures: [...supportedFeatures],
      finalizedFeaturesEpoch,
      finalizedFeatures: [...finalizedFeatures],
    }
  }
}

interface Events {
  readonly begin: (client: Client) => void
  readonly onClosed: () => void
}
