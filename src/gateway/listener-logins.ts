/** Who may log in on one listener, over time: its users file and its key set, read again when they change. */
import { randomBytes } from 'node:crypto'
import type { BearerConfig, ListenerConfig, ListenerSaslConfig } from '../config/config.ts'
import type { Reloadable } from '../config/reloadable.ts'
import { pathsIn, reread } from '../config/reread.ts'
import type { LoginContext } from '../downstream/login.ts'
import { parseKeySet, RemoteKeySet } from '../identity/key-set.ts'
import { createTokenJudge } from '../identity/token-judge.ts'
import { parseUsers, Users } from '../identity/users.ts'
import type { Mechanism, SaslServerSession } from '../sasl/conversation.ts'
import { CredentialLookup } from '../sasl/credentials.ts'
import { BearerServer, type TokenJudge } from '../sasl/oauthbearer.ts'
import { PlainServer } from '../sasl/plain.ts'
import { ScramServer } from '../sasl/scram-server.ts'
import type { Trust } from '../tls/trust.ts'
import { nonce } from './chance.ts'
import { httpsFetch, trustIn } from './https-fetch.ts'
import { Parts } from './prove.ts'

/** Where the users file brings none: others after a restart, and on another gateway. */
const standInSecret = randomBytes(32)
const wallClock = (): number => Date.now()

export class ListenerLogins implements Reloadable {
  readonly name: string
  readonly files: readonly string[]
  readonly #config: ListenerSaslConfig
  readonly #lookup: CredentialLookup
  #users: Users
  #judge: TokenJudge | undefined
  /** Absent: keys are in a file. */
  readonly #remoteKeys: RemoteKeySet | undefined
  /** For the URL of the keys. */
  #trust: Trust | undefined

  constructor({ name, sasl }: Pick<ListenerConfig, 'name' | 'sasl'>) {
    this.name = `users of ${name}`
    this.#config = sasl!
    this.files = pathsIn(sasl)
    this.#lookup = new CredentialLookup(
      () => this.#users,
      () => this.#users.standInSecret ?? standInSecret,
    )
    this.#users = usersOf(this.#config)
    this.#trust = trustIn(this.#config.oauthbearer?.ca)
    this.#remoteKeys = this.#remoteKeysOf(this.#config)
    this.#judge = this.#config.oauthbearer && this.#judgeOf(this.#config.oauthbearer)
  }

  /** Whoever is logged in stays so until the login ends. */
  async reload(): Promise<void> {
    const parts = new Parts(this.name)
    const { users, oauthbearer } = this.#config
    this.#users = await parts.next(async () => usersOf(await reread({ users }, this.name)), this.#users)
    this.#trust = await parts.next(async () => trustIn(await reread(oauthbearer?.ca, this.name)), this.#trust)
    this.#judge = await parts.next(() => this.#nextJudge(), this.#judge)
    this.#remoteKeys?.renew()
    parts.throwProblems()
  }

  async #nextJudge(): Promise<TokenJudge | undefined> {
    const { oauthbearer } = this.#config
    return oauthbearer && this.#judgeOf({ ...oauthbearer, ...(await reread(oauthbearer, this.name, ['jwks'])) })
  }

  context({ guard, onFailed }: Pick<LoginContext, 'guard' | 'onFailed'>): LoginContext {
    const { mechanisms, sessionLifetime: sessionLifetimeMs } = this.#config
    return { mechanisms, open: mechanism => this.#open(mechanism), guard, wallClock, onFailed, sessionLifetimeMs }
  }

  #open(mechanism: Mechanism): SaslServerSession {
    if (mechanism === 'PLAIN') return new PlainServer(this.#lookup)
    if (mechanism === 'OAUTHBEARER') return new BearerServer(this.#judge!)
    return new ScramServer({ mechanism, lookup: this.#lookup, nonce })
  }

  #judgeOf({ jwks, ...rules }: BearerConfig): TokenJudge {
    const keys = jwks.kind === 'file' ? parseKeySet(jwks.file.content.toString('utf8')) : this.#remoteKeys!.key
    return createTokenJudge({ keys, rules, wallClock })
  }

  #remoteKeysOf({ oauthbearer }: ListenerSaslConfig): RemoteKeySet | undefined {
    if (oauthbearer?.jwks.kind !== 'url') return undefined
    const fetch = httpsFetch(() => this.#trust)
    return new RemoteKeySet({ url: oauthbearer.jwks.url, fetch, now: () => performance.now() })
  }
}

const usersOf = ({ users }: { readonly users?: ListenerSaslConfig['users'] | undefined }): Users =>
  users === undefined ? new Users() : parseUsers(users.content.toString('utf8'), users.path)
