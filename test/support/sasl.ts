/** Logins as clients and brokers make them, for tests. */
import { randomBytes } from 'node:crypto'
import type { Users } from '../../src/identity/users.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import type { SaslAuthenticateResponse } from '../../src/protocol/generated/sasl-authenticate-response.ts'
import type { SaslClientSession, SaslServerSession } from '../../src/sasl/conversation.ts'
import { CredentialLookup } from '../../src/sasl/credentials.ts'
import { PlainServer } from '../../src/sasl/plain.ts'
import { ScramClient } from '../../src/sasl/scram-client.ts'
import type { ScramMechanism } from '../../src/sasl/scram-keys.ts'
import { ScramServer } from '../../src/sasl/scram-server.ts'
import type { FakeBroker, SeenRequest } from './fake-broker.ts'
import type { RawClient } from './raw-client.ts'

export const nonce = (): string => randomBytes(18).toString('base64url')

export const scram = (username: string, password: string, mechanism: ScramMechanism = 'SCRAM-SHA-256') =>
  new ScramClient({ mechanism, username, password, nonce })

/** The last answer; the caller looks at its code. */
export async function logIn(client: RawClient, session: SaslClientSession): Promise<SaslAuthenticateResponse> {
  const { errorCode } = await client.ask(ApiKey.SaslHandshake, 1, { mechanism: session.mechanism })
  if (errorCode !== 0) throw new Error(`SaslHandshake: ${errorCode}`)
  return authenticate(client, session)
}

export async function authenticate(client: RawClient, session: SaslClientSession): Promise<SaslAuthenticateResponse> {
  let bytes: Buffer | undefined = await session.first()
  for (;;) {
    const answer: SaslAuthenticateResponse = await client.ask(ApiKey.SaslAuthenticate, 2, { authBytes: bytes })
    if (answer.errorCode !== 0) return answer
    bytes = await session.next(answer.authBytes)
    if (bytes === undefined) return answer
  }
}

export interface BrokerLogins {
  /** Who logged in, and on which connection, in order. */
  readonly seen: { readonly name: string; readonly socket: object }[]
}

/** Has the broker ask for logins, as Kafka does: whatever else comes first breaks the connection. */
export function askForLogins(broker: FakeBroker, users: Users, sessionLifetimeMs = 0n): BrokerLogins {
  const secret = randomBytes(32)
  const lookup = new CredentialLookup(
    () => users,
    () => secret,
  )
  const sessions = new Map<object, SaslServerSession>()
  const seen: { name: string; socket: object }[] = []
  broker.answer(ApiKey.SaslHandshake, ({ mechanism }, { socket }: SeenRequest) => {
    const session =
      mechanism === 'PLAIN'
        ? new PlainServer(lookup)
        : new ScramServer({ mechanism: mechanism as ScramMechanism, lookup, nonce })
    sessions.set(socket, session)
    return { errorCode: 0, mechanisms: [mechanism] }
  })
  broker.answer(ApiKey.SaslAuthenticate, async ({ authBytes }, { socket }: SeenRequest) => {
    const step = await sessions.get(socket)!.next(authBytes)
    const failure = { errorCode: 58, errorMessage: 'no', authBytes: Buffer.alloc(0), sessionLifetimeMs: 0n }
    if (step.kind === 'failed') return failure
    if (step.kind === 'done') seen.push({ name: step.name, socket })
    const lifetime = step.kind === 'done' ? sessionLifetimeMs : 0n
    return { errorCode: 0, errorMessage: null, authBytes: step.challenge, sessionLifetimeMs: lifetime }
  })
  return { seen }
}
