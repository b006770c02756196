/**
 * SASL as conversations over bytes: whoever owns the connection carries them. Sockets, clocks, randomness and where
 * credentials are kept are not known here.
 */

/** Weakest last: the order in which mechanisms are offered. */
export const mechanisms = ['OAUTHBEARER', 'SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'] as const
export type Mechanism = (typeof mechanisms)[number]

/** What a client turned out to be. */
export interface Authenticated {
  readonly name: string
  /** When the credential ends, in milliseconds of the wall clock; undefined where it does not. */
  readonly expiresAtMs?: number | undefined
}

export type ServerStep =
  | { readonly kind: 'continue'; readonly challenge: Buffer }
  | ({ readonly kind: 'done'; readonly challenge: Buffer } & Authenticated)
  /** The last words of a refusal that the mechanism puts into an answer of its own; one more message ends it. */
  | { readonly kind: 'refused'; readonly challenge: Buffer; readonly reason: string }
  /**
   * `reason` is for our log; the client hears `failureText` of its mechanism, whatever the reason was. `name` is given
   * where there is such a user: what stands in the place of a name may otherwise be a password.
   */
  | { readonly kind: 'failed'; readonly reason: string; readonly name?: string }

/** One client's try. After `done` or `failed` it is over. */
export interface SaslServerSession {
  readonly mechanism: Mechanism
  /** The name the client gave, once it has; not verified. */
  readonly claimedName: string | undefined
  next(clientBytes: Buffer): Promise<ServerStep>
}

/** Our own try at a broker. Both throw a SaslError. */
export interface SaslClientSession {
  readonly mechanism: Mechanism
  first(): Promise<Buffer>
  /** The broker said no: what was shown need not be shown again. */
  refused?(): void
  /** What to answer; undefined once the broker has proved what this mechanism lets it prove. */
  next(challenge: Buffer): Promise<Buffer | undefined>
}

export const failed = (reason: string, name?: string): ServerStep => ({
  kind: 'failed',
  reason,
  ...(name === undefined ? {} : { name }),
})

/** Kafka's own words (PlainServerCallbackHandler, SaslServerAuthenticator): one text for every reason. */
export function failureText(mechanism: Mechanism): string {
  if (mechanism === 'PLAIN') return 'Authentication failed: Invalid username or password'
  return `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`
}

/** As long as a request may be before authentication, whoever calls. */
export const messageBytesMax = 64 * 1024
