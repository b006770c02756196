/**
 * The users file: JSON, name → mechanism → verifier, and under the empty name, which nobody has, what stand-ins for
 * users who do not exist are made from. It holds nothing that a password can be read from.
 */
import { ConfigError, type Problem, VkitmError } from '../errors.ts'
import type { Credentials, NamedVerifier } from '../sasl/credentials.ts'
import { keyBytes, type ScramMechanism, type ScramVerifier, scramMechanisms } from '../sasl/scram-keys.ts'
import { strictBase64 } from '../sasl/text.ts'
import { userPrincipal } from './principal.ts'

export const iterationsMin = 4_096
export const iterationsMax = 1_000_000
const saltBytes = { min: 8, max: 1_024 }
const nobody = ''
export const standInSecretBytes = 32

type Verifiers = ReadonlyMap<ScramMechanism, ScramVerifier>

/** Immutable: who comes or goes makes another one. */
export class Users implements Credentials {
  readonly #byName: ReadonlyMap<string, Verifiers>
  /** Made once: whoever names nobody has one of these looked at. */
  readonly #sampleOf: ReadonlyMap<ScramMechanism, readonly ScramVerifier[]>
  readonly #samples: readonly NamedVerifier[]
  /** The same wherever the file is used and after a restart, as the salts of those who exist are. */
  readonly standInSecret: Buffer | undefined

  constructor(byName: ReadonlyMap<string, Verifiers> = new Map(), standInSecret?: Buffer) {
    this.#byName = byName
    this.standInSecret = standInSecret
    this.#samples = [...byName.keys()].map(name => this.anyVerifier(name)!)
    this.#sampleOf = new Map(
      scramMechanisms.map(mechanism => [
        mechanism,
        [...byName.values()].flatMap(verifiers => verifiers.get(mechanism) ?? []),
      ]),
    )
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()]
  }

  mechanismsOf(name: string): readonly ScramMechanism[] {
    return [...(this.#byName.get(name)?.keys() ?? [])]
  }

  verifier(name: string, mechanism: ScramMechanism): ScramVerifier | undefined {
    return this.#byName.get(name)?.get(mechanism)
  }

  anyVerifier(name: string): NamedVerifier | undefined {
    for (const mechanism of scramMechanisms) {
      const verifier = this.verifier(name, mechanism)
      if (verifier !== undefined) return { mechanism, verifier }
    }
    return undefined
  }

  sample(mechanism: ScramMechanism): readonly ScramVerifier[] {
    return this.#sampleOf.get(mechanism) ?? []
  }

  samples(): readonly NamedVerifier[] {
    return this.#samples
  }

  with(name: string, verifiers: Verifiers): Users {
    const all = new Map([...(this.#byName.get(name) ?? []), ...verifiers])
    return new Users(new Map([...this.#byName, [name, all]]), this.standInSecret)
  }

  without(name: string): Users {
    return new Users(new Map([...this.#byName].filter(([known]) => known !== name)), this.standInSecret)
  }

  /** `random` gives so many bytes. */
  withStandInSecret(random: (byteLength: number) => Buffer): Users {
    return new Users(this.#byName, this.standInSecret ?? random(standInSecretBytes))
  }

  toText(): string {
    const users = Object.fromEntries(
      [...this.#byName].map(([name, verifiers]) => [
        name,
        Object.fromEntries(Array.from(verifiers, ([mechanism, verifier]) => [mechanism, written(verifier)])),
      ]),
    )
    const secret = this.standInSecret && { [nobody]: { standInSecret: this.standInSecret.toString('base64') } }
    return `${JSON.stringify({ ...secret, ...users }, null, 2)}\n`
  }
}

const written = ({ salt, iterations, storedKey, serverKey }: ScramVerifier) => ({
  salt: salt.toString('base64'),
  iterations,
  storedKey: storedKey.toString('base64'),
  serverKey: serverKey.toString('base64'),
})

/** Throws a ConfigError with every problem; `path` names the file. */
export function parseUsers(text: string, path: string): Users {
  const problems: Problem[] = []
  const byName = new Map<string, Verifiers>()
  const { [nobody]: ofNobody, ...named } = parseObject(text, path)
  const standInSecret = readStandInSecret(ofNobody, path, problems)
  for (const [name, value] of Object.entries(named)) {
    const place = `${path}: ${JSON.stringify(name)}`
    const flaw = nameFlaw(name)
    if (flaw !== undefined) problems.push({ path: place, message: flaw })
    byName.set(name, readVerifiers(value, place, problems))
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return new Users(byName, standInSecret)
}

function readStandInSecret(value: unknown, path: string, problems: Problem[]): Buffer | undefined {
  if (value === undefined) return undefined
  const secret = isObject(value) ? bytesOf(value.standInSecret) : undefined
  if (secret?.length === standInSecretBytes) return secret
  problems.push({ path: `${path}: ""`, message: `standInSecret is not ${standInSecretBytes} bytes in base64` })
  return undefined
}

function parseObject(text: string, path: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // JSON.parse quotes what it read: it may be a password somebody put there.
  }
  if (isObject(value)) return value
  throw new ConfigError([{ path, message: 'is no JSON object of users: write it with vkitm users add' }])
}

/** What keeps a name from being a user's; undefined where nothing does. */
export function nameFlaw(name: string): string | undefined {
  try {
    return userPrincipal(name).name === name
      ? undefined
      : 'is not in Unicode normal form C: nobody could log in with it'
  } catch (error) {
    if (error instanceof VkitmError) return error.message
    throw error
  }
}

function readVerifiers(value: unknown, place: string, problems: Problem[]): Verifiers {
  const verifiers = new Map<ScramMechanism, ScramVerifier>()
  const entries = isObject(value) ? Object.entries(value) : []
  if (entries.length === 0) problems.push({ path: place, message: 'has no verifier: write it with vkitm users add' })
  for (const [key, verifier] of entries) {
    const mechanism = scramMechanisms.find(known => known === key)
    if (mechanism === undefined) {
      problems.push({
        path: place,
        message: `${JSON.stringify(key)} is no mechanism: write SCRAM-SHA-512 or SCRAM-SHA-256`,
      })
      continue
    }
    const read = readVerifier(mechanism, verifier)
    if (typeof read === 'string') problems.push({ path: `${place}.${mechanism}`, message: read })
    else verifiers.set(mechanism, read)
  }
  return verifiers
}

function readVerifier(mechanism: ScramMechanism, value: unknown): ScramVerifier | string {
  if (!isObject(value)) return 'is no object with salt, iterations, storedKey and serverKey'
  const { salt, iterations, storedKey, serverKey, ...rest } = value
  const [extra] = Object.keys(rest)
  if (extra !== undefined) return `has an unknown key ${JSON.stringify(extra)}`
  const [saltRead, storedRead, serverRead] = [salt, storedKey, serverKey].map(bytesOf)
  if (!saltRead || saltRead.length < saltBytes.min || saltRead.length > saltBytes.max)
    return `salt is not ${saltBytes.min} to ${saltBytes.max} bytes in base64`
  if (!Number.isInteger(iterations) || (iterations as number) < iterationsMin || (iterations as number) > iterationsMax)
    return `iterations is not a whole number from ${iterationsMin} to ${iterationsMax}`
  if (storedRead?.length !== keyBytes[mechanism]) return `storedKey is not ${keyBytes[mechanism]} bytes in base64`
  if (serverRead?.length !== keyBytes[mechanism]) return `serverKey is not ${keyBytes[mechanism]} bytes in base64`
  return { salt: saltRead, iterations: iterations as number, storedKey: storedRead, serverKey: serverRead }
}

const bytesOf = (value: unknown): Buffer | undefined => (typeof value === 'string' ? strictBase64(value) : undefined)

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
