/** A certificate with its key, as both sides spell it: what goes together, and the proof that it serves. */
import type { Secret } from '../telemetry/secret.ts'
import { loadIdentity, type Purpose } from '../tls/tls-identity.ts'
import type { CertificateSource, FileContent, IdentitySource, KeyPermissions } from './config.ts'
import { choice, secret } from './formats.ts'
import { checkKeyAccess } from './key-access.ts'
import type { Place } from './place.ts'
import { optional, withDefault } from './section.ts'
import { pemFile } from './tls-files.ts'

export const keyLeaves = {
  key: optional('Private key of the certificate; none where the certificate is a PKCS#12 store.', pemFile),
  keyPassword: { ...optional('Password of an encrypted key.', secret), sensitive: true },
  keyPermissions: withDefault(
    'strict refuses a private key that other users can read; relaxed takes it.',
    choice(['strict', 'relaxed']),
    'strict',
  ),
} as const

export interface IdentityDraft {
  readonly certificate?: CertificateSource | undefined
  readonly key?: FileContent | undefined
  readonly keyPassword?: Secret | undefined
  readonly keyPermissions?: KeyPermissions | undefined
}

export function checkIdentity(draft: IdentityDraft, place: Place, purpose: Purpose): void {
  const { certificate, key, keyPassword } = draft
  if (certificate === undefined && place.key('certificate').hasProblem) return
  for (const [name, value] of Object.entries({ key, keyPassword })) {
    if (value === undefined || certificate?.kind === 'pem') continue
    const why = certificate === undefined ? 'there is no certificate' : 'the PKCS#12 store holds the key'
    place.key(name).problem(`is not used: ${why}; remove it`)
  }
  if (certificate?.kind === 'pem' && key === undefined) {
    place.key('key').missing("write the file of the certificate's private key")
  }
  const identity = identityOf(draft)
  if (identity !== undefined) proveIdentity(identity, place, purpose)
  if (identity !== undefined) proveKeyAccess(identity, place, draft.keyPermissions)
}

function proveIdentity(identity: IdentitySource, place: Place, purpose: Purpose): void {
  const { files, now } = place.reading
  const read = identity.kind === 'pem' ? [identity.certificate, identity.key] : [identity.store]
  files.expect(read, place.key('certificate'), () => loadIdentity(identity, { purpose, now }))
  if (identity.kind !== 'pem' || identity.keyPassword === undefined) return
  files.expect([identity.key], place.key('keyPassword'), () => {
    if (!identity.key.content.includes('ENCRYPTED'))
      place.key('keyPassword').problem('is not used: the key is not encrypted; remove it')
  })
}

function proveKeyAccess(identity: IdentitySource, place: Place, permissions: KeyPermissions | undefined): void {
  const file = identity.kind === 'pem' ? identity.key : identity.store
  if (permissions === 'relaxed') place.key('keyPermissions').warning('is relaxed: other users may read the private key')
  place.reading.files.expect([file], place.key(identity.kind === 'pem' ? 'key' : 'certificate'), () =>
    checkKeyAccess(file, permissions),
  )
}

export function identityOf({ certificate, key, keyPassword }: IdentityDraft): IdentitySource | undefined {
  if (certificate?.kind === 'pkcs12') return { kind: 'pkcs12', store: certificate, password: certificate.password }
  if (certificate === undefined || key === undefined) return undefined
  return { kind: 'pem', certificate, key, ...(keyPassword === undefined ? {} : { keyPassword }) }
}
