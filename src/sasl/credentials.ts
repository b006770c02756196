/**
 * What a server side looks up. Every name has a verifier: one that nobody has a password for stands in for users that
 * do not exist, so that they cannot be told from those that do (same salt each time, same rounds, same work).
 */
import { createHmac } from 'node:crypto'
import { failed, type ServerStep } from './conversation.ts'
import { keyBytes, type ScramMechanism, type ScramVerifier } from './scram-keys.ts'

export interface Credentials {
  verifier(name: string, mechanism: ScramMechanism): ScramVerifier | undefined
  /** Any one of a user's verifiers, for PLAIN. */
  anyVerifier(name: string): NamedVerifier | undefined
  /** Verifiers of the population, to look like. */
  sample(mechanism: ScramMechanism): readonly ScramVerifier[]
  samples(): readonly NamedVerifier[]
}

export interface NamedVerifier {
  readonly mechanism: ScramMechanism
  readonly verifier: ScramVerifier
}

export interface FoundVerifier extends NamedVerifier {
  /** Whether it is the user's own. */
  readonly isReal: boolean
  /** What to say of a failure; whoever claims to be the user is told nothing of it. */
  readonly whyNot: (name: string) => ServerStep
}

const fallback = { iterations: 10_000, saltBytes: 32 }

function found(verifier: NamedVerifier, { isReal, isKnown }: { isReal: boolean; isKnown: boolean }): FoundVerifier {
  const whyNot = (name: string): ServerStep => {
    if (!isKnown) return failed('unknown user')
    return failed(isReal ? 'wrong password' : `the user has no password for ${verifier.mechanism}`, name)
  }
  return { ...verifier, isReal, whyNot }
}

export class CredentialLookup {
  readonly #credentials: () => Credentials
  readonly #secret: () => Buffer

  /** Nobody else knows `secret`; both are asked for anew each time. */
  constructor(credentials: () => Credentials, secret: () => Buffer) {
    this.#credentials = credentials
    this.#secret = secret
  }

  find(name: string, mechanism: ScramMechanism): FoundVerifier {
    const credentials = this.#credentials()
    const verifier = credentials.verifier(name, mechanism)
    // Made either way, so that a user who exists costs the same.
    const fake = this.#fake(name, mechanism, this.#pick(name, credentials.sample(mechanism)))
    const isKnown = credentials.anyVerifier(name) !== undefined
    return found({ mechanism, verifier: verifier ?? fake }, { isReal: verifier !== undefined, isKnown })
  }

  findAny(name: string): FoundVerifier {
    const credentials = this.#credentials()
    const own = credentials.anyVerifier(name)
    const like = this.#pick(name, credentials.samples())
    const mechanism = like?.mechanism ?? 'SCRAM-SHA-512'
    const fake = this.#fake(name, mechanism, like?.verifier)
    const isReal = own !== undefined
    return found(own ?? { mechanism, verifier: fake }, { isReal, isKnown: isReal })
  }

  #pick<T>(name: string, population: readonly T[]): T | undefined {
    return population[this.#hash('like', name).readUInt32BE(0) % Math.max(1, population.length)]
  }

  #fake(name: string, mechanism: ScramMechanism, like: ScramVerifier | undefined): ScramVerifier {
    const saltBytes = Math.min(64, like?.salt.length ?? fallback.saltBytes)
    const key = this.#hash('key', name).subarray(0, keyBytes[mechanism])
    return {
      salt: this.#hash(`salt ${mechanism}`, name).subarray(0, saltBytes),
      iterations: like?.iterations ?? fallback.iterations,
      storedKey: key,
      serverKey: key,
    }
  }

  #hash(purpose: string, name: string): Buffer {
    return createHmac('sha512', this.#secret()).update(`${purpose}\0${name}`).digest()
  }
}
