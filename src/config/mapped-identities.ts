/** The certificates that a mapping file names: read and proven as one set, at start and whenever one of them changes. */
import { ConfigError, type Problem, VkitmError } from '../errors.ts'
import { type MappedCertificates, parseMappedCertificates } from '../identity/mapped-certificates.ts'
import { loadIdentity, type TlsIdentity } from '../tls/tls-identity.ts'
import { readWithAccess } from './bounded-read.ts'
import type { FileContent, IdentitySource, KeyPermissions } from './config.ts'
import { unreadable } from './file-reads.ts'
import { checkKeyAccess } from './key-access.ts'

export type MappedIdentities = ReadonlyMap<string, TlsIdentity>

export interface MappingProof {
  readonly now: Date
  readonly keyPermissions?: KeyPermissions | undefined
}

/** Files that a mapping names, each once. */
export function filesIn(mapping: MappedCertificates): string[] {
  const paths = [...mapping.values()].flatMap(each =>
    each.kind === 'pem' ? [each.certificate, each.key] : [each.store],
  )
  return [...new Set(paths)]
}

/** Rejects with a ConfigError that holds the problems of all entries. */
export async function readMappedIdentities(
  file: FileContent,
  mapping: MappedCertificates,
  proof: MappingProof,
): Promise<MappedIdentities> {
  const problems: Problem[] = []
  const identities = new Map<string, TlsIdentity>()
  for (const [principal, named] of mapping) {
    try {
      identities.set(principal, prove(await read(named), proof))
    } catch (error) {
      if (!(error instanceof VkitmError)) throw error
      problems.push({ path: `${file.path}: ${JSON.stringify(principal)}`, message: error.message })
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return identities
}

/** For those who look at the mapping alone. */
export const mappingIn = ({ content, path }: FileContent): MappedCertificates =>
  parseMappedCertificates(content.toString('utf8'), path)

type Named = MappedCertificates extends ReadonlyMap<string, infer Files> ? Files : never

async function read(named: Named): Promise<IdentitySource> {
  if (named.kind === 'pkcs12') return { ...named, store: await fileAt(named.store) }
  return { ...named, certificate: await fileAt(named.certificate), key: await fileAt(named.key) }
}

async function fileAt(path: string): Promise<FileContent> {
  try {
    return { path, ...(await readWithAccess(path)) }
  } catch (error) {
    throw new VkitmError('VKITM_CONFIG', unreadable(path, error, process.cwd()))
  }
}

function prove(identity: IdentitySource, { now, keyPermissions }: MappingProof): TlsIdentity {
  checkKeyAccess(identity.kind === 'pem' ? identity.key : identity.store, keyPermissions)
  return loadIdentity(identity, { purpose: 'client', now })
}
