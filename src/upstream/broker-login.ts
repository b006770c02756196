/** Logs in at a broker: SaslHandshake and SaslAuthenticate, the way any client does (KIP-152, KIP-368). */
import { SaslError } from '../errors.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { RequestByKey, ResponseByKey } from '../protocol/codec.ts'
import { ErrorCode, errorName } from '../protocol/error-code.ts'
import type { SaslClientSession } from '../sasl/conversation.ts'

export type Ask = <Key extends ApiKey>(
  key: Key,
  version: number,
  body: RequestByKey[Key],
) => Promise<ResponseByKey[Key]>

/** Version 1 tells how long the login lasts; brokers know it since Kafka 2.2. */
const authenticateVersion = 1
/** No mechanism of ours takes more. */
const roundsMax = 4

/** @returns how long the login lasts, in milliseconds; 0 where it has no end. */
export async function logIn(ask: Ask, session: SaslClientSession): Promise<number> {
  try {
    return await converse(ask, session)
  } catch (error) {
    if (error instanceof SaslError) session.refused?.()
    throw error
  }
}

async function converse(ask: Ask, session: SaslClientSession): Promise<number> {
  const { mechanism } = session
  const { errorCode, mechanisms } = await ask(ApiKey.SaslHandshake, 1, { mechanism })
  if (errorCode !== ErrorCode.NONE) {
    const offered = mechanisms.length === 0 ? 'nothing' : mechanisms.slice(0, 10).join(', ')
    throw new SaslError(`the broker does not take ${mechanism}: it offers ${offered} (upstream.sasl.mechanism)`)
  }
  let bytes: Buffer | undefined = await session.first()
  for (let round = 0; round < roundsMax; round++) {
    const answer: ResponseByKey[typeof ApiKey.SaslAuthenticate] = await ask(
      ApiKey.SaslAuthenticate,
      authenticateVersion,
      { authBytes: bytes },
    )
    if (answer.errorCode !== ErrorCode.NONE) throw refused(mechanism, answer.errorCode)
    bytes = await session.next(answer.authBytes)
    if (bytes === undefined) return lifetimeOf(answer.sessionLifetimeMs)
  }
  throw new SaslError(`the broker does not come to an end of ${mechanism}`)
}

/** The broker's own words may hold a name or an address; its code says enough. */
function refused(mechanism: string, errorCode: number): SaslError {
  return new SaslError(
    `the broker refused the gateway's ${mechanism} login (${errorName(errorCode)}): check upstream.sasl`,
    {
      details: { errorCode },
    },
  )
}

const lifetimeOf = (sessionLifetimeMs: bigint): number =>
  sessionLifetimeMs > 0n ? Number(sessionLifetimeMs > 2n ** 53n ? 2n ** 53n : sessionLifetimeMs) : 0

/** Timers of Node fire at once beyond this. */
const timerMsMax = 2 ** 31 - 1

/** Kafka's clients log in again after 85 to 95 of a hundred parts, so that not all come at once. */
export function againAfterMs(lifetimeMs: number, random: () => number): number {
  return Math.min(timerMsMax, Math.floor(lifetimeMs * (0.85 + 0.1 * random())))
}
