/** Principal → its own credential at the brokers, from a JSON file. */
import { ConfigError, type Problem } from '../errors.ts'
import { Secret } from '../telemetry/secret.ts'
import { isObject } from './users.ts'

export interface MappedCredential {
  readonly username: string
  readonly password: Secret
}

export type MappedCredentials = ReadonlyMap<string, MappedCredential>

/** Throws a ConfigError with every problem; none of them shows a value. */
export function parseMappedCredentials(text: string, path: string): MappedCredentials {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // JSON.parse quotes what it read, and this file holds passwords.
  }
  if (!isObject(value))
    throw new ConfigError([
      { path, message: 'is no JSON object: write {"User:alice": {"username": …, "password": …}}' },
    ])
  const problems: Problem[] = []
  const byPrincipal = new Map<string, MappedCredential>()
  for (const [principal, credential] of Object.entries(value)) {
    const flaw = flawOf(principal, credential)
    if (flaw !== undefined) problems.push({ path: `${path}: ${JSON.stringify(principal)}`, message: flaw })
    else {
      const { username, password } = credential as { username: string; password: string }
      byPrincipal.set(principal, { username, password: new Secret(password) })
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return byPrincipal
}

function flawOf(principal: string, credential: unknown): string | undefined {
  if (!/^User:./.test(principal)) return 'is no principal: write User: and the name'
  if (!isObject(credential)) return 'is no object with username and password'
  const { username, password, ...rest } = credential
  if (Object.keys(rest).length > 0) return 'has a key that is neither username nor password'
  if (typeof username !== 'string' || username === '' || typeof password !== 'string' || password === '')
    return 'needs username and password, both texts'
  return undefined
}
