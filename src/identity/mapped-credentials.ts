/** Principal → its own credential at the brokers, from a JSON file. */
import { Secret } from '../telemetry/secret.ts'
import { parseByPrincipal } from './by-principal.ts'
import { isObject } from './users.ts'

export interface MappedCredential {
  readonly username: string
  readonly password: Secret
}

export type MappedCredentials = ReadonlyMap<string, MappedCredential>

/** Throws a ConfigError with every problem; none of them shows a value. */
export function parseMappedCredentials(text: string, path: string): MappedCredentials {
  return parseByPrincipal(text, { path, example: '{"User:alice": {"username": …, "password": …}}', read: credentialOf })
}

/** Or what is wrong. */
function credentialOf(credential: unknown): MappedCredential | string {
  if (!isObject(credential)) return 'is no object with username and password'
  const { username, password, ...rest } = credential
  if (Object.keys(rest).length > 0) return 'has a key that is neither username nor password'
  if (typeof username !== 'string' || username === '' || typeof password !== 'string' || password === '')
    return 'needs username and password, both texts'
  return { username, password: new Secret(password) }
}
