/** Formats of certificates, keys and revocation lists: the file is asked for and looked at, not yet understood. */
import { resolve } from 'node:path'
import type { CertificateSource, FileContent } from './config.ts'
import { listOf, secret, text } from './formats.ts'
import type { Place } from './place.ts'
import { type Format, isMapping, required, section } from './section.ts'

const EMPTY = Buffer.alloc(0)
const PKCS12_HINT = 'a PKCS#12 store is named as {pkcs12: file, password: …}'

const holds = (content: Buffer, marker: string): boolean => content.includes(`-----BEGIN ${marker}-----`)

function isCertificatePem(content: Buffer): string | undefined {
  if (content.length === 0) return 'is empty'
  return holds(content, 'CERTIFICATE')
    ? undefined
    : `holds no PEM certificate (-----BEGIN CERTIFICATE-----); ${PKCS12_HINT}`
}

function isCrlPem(content: Buffer): string | undefined {
  return holds(content, 'X509 CRL') ? undefined : 'holds no PEM revocation list (-----BEGIN X509 CRL-----)'
}

/** PKCS#12 is a DER sequence. */
function isPkcs12(content: Buffer): string | undefined {
  if (content[0] === 0x30) return undefined
  if (content.includes('-----BEGIN ')) return 'is PEM, not PKCS#12: write its path without pkcs12'
  if (content.subarray(0, 4).equals(Buffer.from('feedfeed', 'hex'))) {
    return 'is a Java key store (JKS): convert it with keytool -importkeystore -srckeystore OLD -destkeystore NEW.p12 -deststoretype PKCS12'
  }
  return 'is not a PKCS#12 store'
}

function isKeyPem(content: Buffer): string | undefined {
  const found = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(content.toString('latin1'))
  return found ? undefined : `holds no PEM private key (-----BEGIN PRIVATE KEY-----); ${PKCS12_HINT}`
}

export function passwordProblem(content: Buffer, hasPassword: boolean): string | undefined {
  const encrypted = content.includes('ENCRYPTED')
  if (encrypted && !hasPassword) return 'is encrypted: add keyPassword'
  if (!encrypted && hasPassword) return 'is not encrypted: remove keyPassword'
  return undefined
}

const pkcs12Store = section(
  {
    pkcs12: required('A PKCS#12 store.', text, 'write pkcs12: file'),
    password: { ...required('Its password.', secret, `write password: \${env:NAME}`), sensitive: true },
  },
  { build: read => read },
)

const resolved = (path: string, place: Place): string => resolve(place.reading.folder, path)

/** A path to PEM, or a PKCS#12 store. */
export const certificates: Format<CertificateSource> = {
  name: 'PEM file, or {pkcs12, password}',
  read(value, place) {
    const { files } = place.reading
    if (!isMapping(value)) {
      const path = text.read(value, place)
      if (path === undefined) return undefined
      return files.request(
        { kind: 'pem' as const, path: resolved(path, place), content: EMPTY },
        place,
        isCertificatePem,
      )
    }
    const store = pkcs12Store.read(value, place)
    if (store === undefined) return undefined
    const target = {
      kind: 'pkcs12',
      path: resolved(store.pkcs12, place),
      content: EMPTY,
      password: store.password,
    } as const
    return files.request(target, place.key('pkcs12'), isPkcs12)
  },
}

function pemFile(examine: (content: Buffer) => string | undefined): Format<FileContent> {
  return {
    name: 'PEM file',
    read(value, place) {
      const path = text.read(value, place)
      if (path === undefined) return undefined
      return place.reading.files.request({ path: resolved(path, place), content: EMPTY }, place, examine)
    },
  }
}

export const privateKey = pemFile(isKeyPem)
export const revocationLists = listOf(pemFile(isCrlPem), { single: true })
