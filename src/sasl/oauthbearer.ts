/** OAUTHBEARER (RFC 7628, KIP-255): a bearer token in one message. What the token is worth is judged elsewhere. */
import { SaslError } from '../errors.ts'
import {
  type Authenticated,
  failed,
  type SaslClientSession,
  type SaslServerSession,
  type ServerStep,
} from './conversation.ts'
import { decodeSaslName, strictText } from './text.ts'

const SEPARATOR = '\x01'
const headPattern = new RegExp(`^n,(?:a=([^,]+))?,${SEPARATOR}`)
const bearerPattern = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i
const pairPattern = /^([A-Za-z]+)=([\x21-\x7e \t\r\n]*)$/

export interface BearerMessage {
  readonly authzid: string | undefined
  readonly token: string
}

/** Undefined where it is malformed. KIP-342's extensions are read over: nobody here asks for any. */
export function parseBearer(bytes: Buffer): BearerMessage | undefined {
  const text = strictText(bytes) ?? ''
  const head = headPattern.exec(text)
  if (head === null || !text.endsWith(`${SEPARATOR}${SEPARATOR}`)) return undefined
  const authzid = head[1] === undefined ? undefined : decodeSaslName(head[1])
  if (head[1] !== undefined && authzid === undefined) return undefined
  const pairs = text
    .slice(head[0].length, -2)
    .split(SEPARATOR)
    .map(pair => pairPattern.exec(pair))
  const values = pairs.flatMap(pair => (pair?.[1] === 'auth' ? [pair[2] ?? ''] : []))
  const token = bearerPattern.exec(values[0] ?? '')?.[1]
  return pairs.includes(null) || values.length !== 1 || token === undefined ? undefined : { authzid, token }
}

/** Rejects, or throws, where the token is not to be believed. */
export type TokenJudge = (token: string) => Promise<Authenticated>

export class BearerServer implements SaslServerSession {
  readonly mechanism = 'OAUTHBEARER'
  claimedName: string | undefined
  readonly #judge: TokenJudge
  #isOver = false

  constructor(judge: TokenJudge) {
    this.#judge = judge
  }

  async next(clientBytes: Buffer): Promise<ServerStep> {
    if (this.#isOver) return failed('a message after the last one')
    this.#isOver = true
    const message = parseBearer(clientBytes)
    if (message === undefined) return failed('a malformed message')
    let known: Authenticated
    try {
      known = await this.#judge(message.token)
    } catch (error) {
      const reason = `token refused: ${error instanceof Error ? error.message : 'not to be believed'}`
      // RFC 7628, 3.2.3: after this the client says 0x01, and fails then.
      return { kind: 'refused', challenge: Buffer.from('{"status":"invalid_token"}'), reason }
    }
    this.claimedName = known.name
    if (message.authzid !== undefined && message.authzid !== known.name)
      return failed('a token for another user than the one it asks to be', known.name)
    return { kind: 'done', challenge: Buffer.alloc(0), ...known }
  }
}

export class BearerClient implements SaslClientSession {
  readonly mechanism = 'OAUTHBEARER'
  readonly #token: string
  readonly refused: () => void

  constructor(token: string, refused: () => void = () => undefined) {
    if (bearerPattern.exec(`Bearer ${token}`) === null) throw new SaslError('the token is no bearer token')
    this.#token = token
    this.refused = refused
  }

  async first(): Promise<Buffer> {
    return Buffer.from(`n,,${SEPARATOR}auth=Bearer ${this.#token}${SEPARATOR}${SEPARATOR}`)
  }

  /** What a broker says beside success is why not. */
  async next(challenge: Buffer): Promise<undefined> {
    if (challenge.length > 0) throw new SaslError('the broker refused the token')
  }
}
