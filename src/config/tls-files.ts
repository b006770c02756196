/** Formats of certificates, keys and revocation lists: the file is asked for here and understood by tls/. */
import { resolve } from 'node:path'
import type { CertificateSource, FileContent } from './config.ts'
import { listOf, secret, text } from './formats.ts'
import type { Place } from './place.ts'
import { type Format, isMapping, required, section } from './section.ts'

const EMPTY = Buffer.alloc(0)

export const filePath: Format<string> = {
  name: 'file',
  read(value, place) {
    if (typeof value !== 'string' || !value.includes('\n')) return text.read(value, place)
    return place.problem('is the content of a file, not its path: write the path alone')
  },
}

const pkcs12Store = section(
  {
    pkcs12: required('A PKCS#12 store.', filePath, 'write pkcs12: file'),
    password: { ...required('Its password.', secret, `write password: \${env:NAME}`), sensitive: true },
  },
  { build: read => read },
)

const unread = (path: string, place: Place): FileContent => ({
  path: resolve(place.reading.folder, path),
  content: EMPTY,
})

/** A path to PEM, or a PKCS#12 store. */
export const certificates: Format<CertificateSource> = {
  name: 'PEM file, or {pkcs12, password}',
  read(value, place) {
    const { files } = place.reading
    if (!isMapping(value)) {
      const path = filePath.read(value, place)
      return path === undefined ? undefined : files.request({ kind: 'pem' as const, ...unread(path, place) }, place)
    }
    const store = pkcs12Store.read(value, place)
    if (store === undefined) return undefined
    const { pkcs12, password } = store
    return files.request({ kind: 'pkcs12' as const, password, ...unread(pkcs12, place) }, place.key('pkcs12'))
  },
}

/** A path to a file of this kind. */
export const fileNamed = (kind: string): Format<FileContent> => ({
  name: `${kind} file`,
  read(value, place) {
    const path = filePath.read(value, place)
    return path === undefined ? undefined : place.reading.files.request(unread(path, place), place)
  },
})

export const pemFile = fileNamed('PEM')

/** Any other file whose content is needed. */
export const contentFile: Format<FileContent> = { ...pemFile, name: 'file' }

export const pemFiles = listOf(pemFile, { single: true })
