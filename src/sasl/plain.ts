/** PLAIN (RFC 4616) as Kafka has it: `[authzid] NUL authcid NUL password`, and a user may only be himself. */
import { SaslError } from '../errors.ts'
import { failed, type SaslClientSession, type SaslServerSession, type ServerStep } from './conversation.ts'
import type { CredentialLookup } from './credentials.ts'
import { isPassword } from './scram-keys.ts'
import { strictText } from './text.ts'

export interface PlainMessage {
  readonly name: string
  readonly password: string
}

/** Undefined where it is malformed, or asks to be somebody else. */
export function parsePlain(bytes: Buffer): PlainMessage | undefined {
  const parts = strictText(bytes)?.split('\0')
  if (parts?.length !== 3) return undefined
  const [authzid, name, password] = parts as [string, string, string]
  if (name === '' || password === '' || (authzid !== '' && authzid !== name)) return undefined
  return { name, password }
}

export class PlainServer implements SaslServerSession {
  readonly mechanism = 'PLAIN'
  claimedName: string | undefined
  readonly #lookup: CredentialLookup
  #isOver = false

  constructor(lookup: CredentialLookup) {
    this.#lookup = lookup
  }

  async next(clientBytes: Buffer): Promise<ServerStep> {
    if (this.#isOver) return failed('a message after the last one')
    this.#isOver = true
    const message = parsePlain(clientBytes)
    if (message === undefined) return failed('a malformed message')
    const { name, password } = message
    this.claimedName = name
    const { mechanism, verifier, isReal, whyNot } = this.#lookup.findAny(name)
    const isRight = await isPassword(mechanism, password, verifier)
    if (!isRight || !isReal) return whyNot(name)
    return { kind: 'done', challenge: Buffer.alloc(0), name }
  }
}

export class PlainClient implements SaslClientSession {
  readonly mechanism = 'PLAIN'
  readonly #username: string
  readonly #password: string

  constructor(username: string, password: string) {
    if (username.includes('\0') || password.includes('\0'))
      throw new SaslError('PLAIN cannot carry a NUL in a user name or password')
    this.#username = username
    this.#password = password
  }

  async first(): Promise<Buffer> {
    return Buffer.from(`\0${this.#username}\0${this.#password}`, 'utf8')
  }

  async next(): Promise<undefined> {
    return undefined
  }
}
