/** SCRAM, the side that knows the password: believes a broker only once it has proved that it knows the verifier. */
import { SaslError } from '../errors.ts'
import type { SaslClientSession } from './conversation.ts'
import {
  clientKeyOf,
  digest,
  hmac,
  type ScramMechanism,
  saltedPassword,
  sameKey,
  serverKeyOf,
  xor,
} from './scram-keys.ts'
import { parseServerFinal, parseServerFirst } from './scram-messages.ts'
import { encodeSaslName } from './text.ts'

/** RFC 7677 and KIP-84 ask for 4,096 at least; a broker that asks for more than a million wants our time. */
const iterationsMin = 4_096
const iterationsMax = 1_000_000
const gs2Header = 'n,,'

export interface ScramClientOptions {
  readonly mechanism: ScramMechanism
  readonly username: string
  readonly password: string
  /** Our half of the nonce: random, printable, without a comma. */
  readonly nonce: () => string
}

export class ScramClient implements SaslClientSession {
  readonly mechanism: ScramMechanism
  readonly #options: ScramClientOptions
  readonly #nonce: string
  readonly #firstBare: string
  #expectedSignature: Buffer | undefined
  #at: 'start' | 'serverFirst' | 'serverFinal' | 'over' = 'start'

  constructor(options: ScramClientOptions) {
    this.mechanism = options.mechanism
    this.#options = options
    this.#nonce = options.nonce()
    this.#firstBare = `n=${encodeSaslName(options.username)},r=${this.#nonce}`
  }

  async first(): Promise<Buffer> {
    this.#at = 'serverFirst'
    return Buffer.from(`${gs2Header}${this.#firstBare}`)
  }

  async next(challenge: Buffer): Promise<Buffer | undefined> {
    const at = this.#at
    this.#at = 'over'
    if (at === 'serverFirst') return this.#final(challenge)
    if (at === 'serverFinal') return this.#verify(challenge)
    throw new SaslError('the broker speaks SCRAM out of turn')
  }

  async #final(challenge: Buffer): Promise<Buffer> {
    const first = parseServerFirst(challenge)
    if (first === undefined) throw new SaslError('the broker answered SCRAM with what is no first message')
    const { text, nonce, salt, iterations } = first
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw new SaslError('the broker answered SCRAM with a nonce that is not ours and its own')
    if (iterations < iterationsMin || iterations > iterationsMax)
      throw new SaslError(`the broker asks for ${iterations} SCRAM iterations: from 4096 to 1000000 are accepted`)
    const salted = await saltedPassword(this.mechanism, this.#options.password, { salt, iterations })
    const withoutProof = `c=${Buffer.from(gs2Header).toString('base64')},r=${nonce}`
    const authMessage = `${this.#firstBare},${text},${withoutProof}`
    const clientKey = clientKeyOf(this.mechanism, salted)
    const proof = xor(clientKey, hmac(this.mechanism, digest(this.mechanism, clientKey), authMessage))
    this.#expectedSignature = hmac(this.mechanism, serverKeyOf(this.mechanism, salted), authMessage)
    this.#at = 'serverFinal'
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`)
  }

  #verify(challenge: Buffer): undefined {
    const signature = parseServerFinal(challenge)
    if (signature === undefined || !sameKey(signature, this.#expectedSignature!))
      throw new SaslError('the broker did not prove that it knows our credential: it may be an impostor')
  }
}
