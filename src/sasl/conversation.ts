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
  /** `reason` is for our log; the client hears `failureText` of its mechanism, whatever the reason was. */
  | { readonly kind: 'failed'; readonly reason: string }

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
  /** What to answer; undefined once the broker has proved what this mechanism lets it prove. */
  next(challenge: Buffer): Promise<Buffer | undefined>
}

export const failed = (reason: string): ServerStep => ({ kind: 'failed', reason })

/** Kafka's own words (PlainServerCallbackHandler, SaslServerAuthenticator): one text for every reason. */
export function failureText(mechanism: Mechanism): string {
  if (mechanism === 'PLAIN') return 'Authentication failed: Invalid username or password'
  return `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`
}

/** As long as a request may be before authentication, whoever calls. */
export const messageBytesMax = 64 * 1024
