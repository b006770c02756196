/** Users, lookups and nonces that the tests of SASL share. */
import { randomBytes } from 'node:crypto'
import { Users } from '../../src/identity/users.ts'
import { CredentialLookup } from '../../src/sasl/credentials.ts'
import { createVerifier, type ScramMechanism, scramMechanisms } from '../../src/sasl/scram-keys.ts'

export const nonce = (): string => randomBytes(18).toString('base64url')

export async function usersOf(
  passwords: Readonly<Record<string, string>>,
  mechanisms: readonly ScramMechanism[] = scramMechanisms,
  iterations = 4096,
): Promise<Users> {
  let users = new Users()
  for (const [name, password] of Object.entries(passwords)) {
    for (const mechanism of mechanisms) {
      const verifier = await createVerifier(mechanism, password, { salt: randomBytes(24), iterations })
      users = users.with(name, new Map([[mechanism, verifier]]))
    }
  }
  return users
}

export const lookupIn = (users: Users, secret = Buffer.alloc(32, 7)): CredentialLookup =>
  new CredentialLookup(
    () => users,
    () => secret,
  )
