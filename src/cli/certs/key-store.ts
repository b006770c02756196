/** PKCS#12 beside the PEM files, for Java: a key store and the trust store that goes with it. */
import { randomBytes } from 'node:crypto'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { VkitmError } from '../../errors.ts'
import { PRIVATE, writeAtomic } from '../../gateway/atomic-files.ts'
import type { AuthorityFolder } from '../../gateway/authority-folder.ts'
import type { Issued } from '../../tls/certificate-authority.ts'
import { writeKeyStore, writeTrustStore } from '../../tls/pkcs12/write-pkcs12.ts'
import { passwordFrom } from './options.ts'

export interface KeyStoreOptions {
  readonly name: string
  readonly passwordFile: string | undefined
  readonly replace?: boolean
}

const paths = (folder: string, name: string) => ({
  keyStore: join(folder, `${name}.p12`),
  trustStore: join(folder, `${name}.truststore.p12`),
  password: join(folder, `${name}.p12.password`),
})

/** @returns the files that were written. Without a password from outside a random one stands in a file of its own. */
export async function writeStores(
  { folder, root }: AuthorityFolder,
  { key, chain }: Issued,
  { name, passwordFile, replace = false }: KeyStoreOptions,
): Promise<string[]> {
  const files = paths(folder, name)
  const isOurs = passwordFile === undefined
  const password = isOurs ? randomBytes(18).toString('base64url') : await passwordFrom(passwordFile)
  const options = { mode: PRIVATE, replace }
  if (isOurs) await writeAtomic(files.password, `${password}\n`, options)
  await writeAtomic(
    files.keyStore,
    writeKeyStore({ alias: name, key, chain: [...chain, root.certificate] }, password),
    options,
  )
  const trusted = [{ alias: 'ca', certificate: root.certificate }]
  await writeAtomic(files.trustStore, writeTrustStore(trusted, password), options)
  return [files.keyStore, files.trustStore, ...(isOurs ? [files.password] : [])]
}

/** A renewed certificate in an old key store would be forgotten until it expires. */
export async function renewStores(
  authority: AuthorityFolder,
  issued: Issued,
  { name, passwordFile }: KeyStoreOptions,
): Promise<string[]> {
  const files = paths(authority.folder, name)
  if (!(await exists(files.keyStore))) return []
  const from = passwordFile ?? ((await exists(files.password)) ? files.password : undefined)
  if (from === undefined) {
    throw new VkitmError(
      'VKITM_CERTS',
      `${files.keyStore} still holds the old certificate: say its password with --password-file`,
    )
  }
  return writeStores(authority, issued, { name, passwordFile: from, replace: true })
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
