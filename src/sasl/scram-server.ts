/** SCRAM (RFC 5802, KIP-84), the side that knows verifiers. */
import { failed, type SaslServerSession, type ServerStep } from './conversation.ts'
import type { CredentialLookup, FoundVerifier } from './credentials.ts'
import { digest, hmac, keyBytes, type ScramMechanism, sameKey, xor } from './scram-keys.ts'
import { type ClientFirst, parseClientFinal, parseClientFirst } from './scram-messages.ts'

export interface ScramServerOptions {
  readonly mechanism: ScramMechanism
  readonly lookup: CredentialLookup
  /** Our half of the nonce: random, printable, without a comma. */
  readonly nonce: () => string
}

type State =
  | { readonly at: 'first' }
  | { readonly at: 'final'; readonly first: ClientFirst; readonly nonce: string; readonly serverFirst: string }
  | { readonly at: 'over' }

export class ScramServer implements SaslServerSession {
  readonly mechanism: ScramMechanism
  claimedName: string | undefined
  readonly #lookup: CredentialLookup
  readonly #nonce: () => string
  #found: FoundVerifier | undefined
  #state: State = { at: 'first' }

  constructor({ mechanism, lookup, nonce }: ScramServerOptions) {
    this.mechanism = mechanism
    this.#lookup = lookup
    this.#nonce = nonce
  }

  async next(clientBytes: Buffer): Promise<ServerStep> {
    const state = this.#state
    this.#state = { at: 'over' }
    if (state.at === 'first') return this.#first(clientBytes)
    if (state.at === 'final') return this.#final(clientBytes, state)
    return failed('a message after the last one')
  }

  #first(clientBytes: Buffer): ServerStep {
    const first = parseClientFirst(clientBytes)
    if (first === undefined) return failed('a malformed first message')
    this.claimedName = first.name
    const found = this.#lookup.find(first.name, this.mechanism)
    this.#found = found
    const nonce = `${first.nonce}${this.#nonce()}`
    const { salt, iterations } = found.verifier
    const serverFirst = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`
    this.#state = { at: 'final', first, nonce, serverFirst }
    return { kind: 'continue', challenge: Buffer.from(serverFirst) }
  }

  #final(clientBytes: Buffer, { first, nonce, serverFirst }: Extract<State, { at: 'final' }>): ServerStep {
    const final = parseClientFinal(clientBytes)
    if (final === undefined) return failed('a malformed final message')
    if (final.channelBinding !== Buffer.from(first.gs2Header).toString('base64'))
      return failed('another channel binding than at first')
    if (final.nonce !== nonce) return failed('another nonce than ours')
    if (final.proof.length !== keyBytes[this.mechanism]) return failed('a proof of the wrong length')
    const { verifier, isReal, whyNot } = this.#found!
    const authMessage = `${first.bare},${serverFirst},${final.withoutProof}`
    const clientKey = xor(final.proof, hmac(this.mechanism, verifier.storedKey, authMessage))
    const isRight = sameKey(digest(this.mechanism, clientKey), verifier.storedKey)
    const signature = hmac(this.mechanism, verifier.serverKey, authMessage)
    if (!isRight || !isReal) return whyNot(first.name)
    return { kind: 'done', challenge: Buffer.from(`v=${signature.toString('base64')}`), name: first.name }
  }
}
