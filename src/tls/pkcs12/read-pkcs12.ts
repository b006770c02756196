/**
 * Opens a PKCS#12 file: every certificate and private key in it, with the attributes that tell which belong together.
 * What they are good for is decided by whoever asked. Node itself reads neither Java's trust stores nor several keys.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { TlsError } from '../../errors.ts'
import { type Asn1, contentOf, decode, encode, integerOf, isTagged, objectIdOf, parts, textOf } from '../pki.ts'
import { decrypt, keytoolConversion, type Unlocking, verifyMac } from './protection.ts'

export interface Pkcs12File extends Unlocking {
  readonly content: Buffer
}

export interface CertificateEntry {
  readonly certificate: X509Certificate
  readonly alias?: string
  readonly localKeyId?: string
  /** Carries the attribute by which Java marks a trustedCertEntry. */
  readonly trusted: boolean
}

export interface PrivateKeyEntry {
  readonly key: KeyObject
  readonly alias?: string
  readonly localKeyId?: string
}

export interface Pkcs12Contents {
  readonly certificates: readonly CertificateEntry[]
  readonly keys: readonly PrivateKeyEntry[]
}

const FILE_BYTES_MAX = 16 * 1024 * 1024
const NESTING_MAX = 4

const ContentType = { data: '1.2.840.113549.1.7.1', encrypted: '1.2.840.113549.1.7.6' } as const
const BagType = {
  key: '1.2.840.113549.1.12.10.1.1',
  shroudedKey: '1.2.840.113549.1.12.10.1.2',
  certificate: '1.2.840.113549.1.12.10.1.3',
  safeContents: '1.2.840.113549.1.12.10.1.6',
} as const
const Attribute = {
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  trustedKeyUsage: '2.16.840.1.113894.746875.1.1',
} as const
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1'

const JAVA_KEY_STORES = new Map([
  [0xfeedfeed, 'JKS'],
  [0xcececece, 'JCEKS'],
])

interface MutableContents {
  readonly certificates: CertificateEntry[]
  readonly keys: PrivateKeyEntry[]
}

function refuseOtherFormats({ path, content }: Pkcs12File): void {
  if (content.length > FILE_BYTES_MAX) throw new TlsError(`${path}: larger than any PKCS#12 file should be`)
  const javaType = content.length >= 4 ? JAVA_KEY_STORES.get(content.readUInt32BE(0)) : undefined
  if (javaType !== undefined) {
    throw new TlsError(
      `${path}: a ${javaType} key store, which only Java reads. Convert it with\n  ${keytoolConversion(path, javaType)}`,
    )
  }
  if (content.includes('-----BEGIN ')) {
    throw new TlsError(`${path}: PEM, not PKCS#12: write the path alone instead of {pkcs12: …}`)
  }
}

function attributes(bagAttributes: Asn1 | undefined): Map<string, Asn1 | undefined> {
  if (bagAttributes === undefined) return new Map()
  return new Map(
    parts(bagAttributes).map(attribute => {
      const [oid, values] = parts(attribute)
      return [objectIdOf(oid), parts(values)[0]]
    }),
  )
}

function names(found: Map<string, Asn1 | undefined>): { alias?: string; localKeyId?: string } {
  const alias = found.get(Attribute.friendlyName)
  const localKeyId = found.get(Attribute.localKeyId)
  return {
    ...(alias && { alias: textOf(alias) }),
    ...(localKeyId && { localKeyId: contentOf(localKeyId).toString('hex') }),
  }
}

const privateKey = (der: Buffer): KeyObject => createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })

function readBag(bag: Asn1, file: Pkcs12File, into: MutableContents, depth: number): void {
  const [oid, wrapped, bagAttributes] = parts(bag)
  const type = objectIdOf(oid)
  const value = parts(wrapped)[0]
  const found = attributes(bagAttributes)
  if (type === BagType.certificate) {
    const [kind, certificate] = parts(value)
    if (objectIdOf(kind) !== X509_CERTIFICATE) return
    const der = contentOf(parts(certificate)[0])
    const trusted = found.has(Attribute.trustedKeyUsage)
    into.certificates.push({ certificate: new X509Certificate(der), trusted, ...names(found) })
  } else if (type === BagType.shroudedKey) {
    const [algorithm, sealed] = parts(value)
    into.keys.push({ key: privateKey(decrypt(algorithm, contentOf(sealed), file)), ...names(found) })
  } else if (type === BagType.key) {
    into.keys.push({ key: privateKey(encode(value!)), ...names(found) })
  } else if (type === BagType.safeContents) {
    readSafe(value, file, into, depth + 1)
  }
}

function readSafe(safe: Asn1 | undefined, file: Pkcs12File, into: MutableContents, depth: number): void {
  if (depth > NESTING_MAX) throw new Error('its parts are nested too deeply')
  for (const bag of parts(safe)) readBag(bag, file, into, depth)
}

/** The bags of one part, decrypted where it is encrypted. */
function safeOf(info: Asn1, file: Pkcs12File): Asn1 {
  const [oid, wrapped] = parts(info)
  const type = objectIdOf(oid)
  const content = parts(wrapped)[0]
  if (type === ContentType.data) return decode(contentOf(content))
  if (type !== ContentType.encrypted) throw new Error(`a part of type ${type} is not supported`)
  const [, algorithm, sealed] = parts(parts(content)[1])
  if (!isTagged(sealed, 0)) throw new Error('an encrypted part has no content')
  return decode(decrypt(algorithm, contentOf(sealed), file))
}

function readPfx(file: Pkcs12File): Pkcs12Contents {
  const [version, authSafe, macData] = parts(decode(file.content))
  if (integerOf(version) !== 3) throw new Error(`version ${integerOf(version)} is not supported`)
  const [oid, wrapped] = parts(authSafe)
  if (objectIdOf(oid) !== ContentType.data) throw new Error('signed by a key instead of a password')
  const content = contentOf(parts(wrapped)[0])
  // Java writes password-less trust stores without a MAC; such a file vouches for as much as a PEM file does.
  if (macData !== undefined) verifyMac(macData, content, file)
  const contents: MutableContents = { certificates: [], keys: [] }
  for (const info of parts(decode(content))) readSafe(safeOf(info, file), file, contents, 0)
  return contents
}

export function readPkcs12(file: Pkcs12File): Pkcs12Contents {
  refuseOtherFormats(file)
  try {
    return readPfx(file)
  } catch (cause) {
    if (cause instanceof TlsError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TlsError(`${file.path}: not a PKCS#12 file that can be read (${reason})`, { cause })
  }
}
