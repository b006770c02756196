/**
 * Certificate revocation lists (RFC 5280 5) as the gateway reads them itself. OpenSSL judges a handshake by the same
 * lists; this is for what it does not look at again: sessions that resume, and connections that are open.
 */
import { type KeyObject, verify, type X509Certificate } from 'node:crypto'
import { TlsError } from '../errors.ts'
import { DerReader, type DerValue, dottedObjectId, Tag } from './der.ts'
import { readPem, toPem } from './pem.ts'
import { type FileContent, named } from './tls-files.ts'

export interface RevocationList {
  readonly pem: string
  /** The DER of the issuing CA's name, in hexadecimal. */
  readonly issuer: string
  readonly thisUpdate: Date
  /** From here on the list proves nothing, and every peer below its CA is refused. Absent: never. */
  readonly nextUpdate: Date | undefined
  readonly serials: ReadonlySet<string>
  /** Undefined where the algorithm is left to OpenSSL, which refuses all peers where the signature is wrong. */
  isSignedBy(key: KeyObject): boolean | undefined
}

const LABEL = 'X509 CRL'
const CLOCK_SKEW_MS = 300_000
const CERTIFICATE_ISSUER = '2.5.29.29'

/** By the OID of the signature; RSA-PSS has parameters and is OpenSSL's to check. */
const DIGESTS: ReadonlyMap<string, string | null> = new Map([
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  ['1.3.101.112', null],
])

/** All lists of a file, PEM or DER. */
export function readRevocationLists(file: FileContent): RevocationList[] {
  try {
    const lists = ders(file).map(parse)
    if (lists.length > 0) return lists
  } catch (cause) {
    if (cause instanceof TlsError) throw cause
    const why = cause instanceof Error ? ` (${cause.message})` : ''
    throw new TlsError(`${file.path}: not a revocation list that can be read${why}`, { cause })
  }
  throw new TlsError(`${file.path}: no revocation list (${LABEL}) in it`)
}

function ders({ content }: FileContent): Buffer[] {
  if (content[0] === 0x30) return [content]
  return readPem(content)
    .filter(({ label }) => label === LABEL)
    .map(({ text }) => Buffer.from(text.replace(/-----[^-]+-----/g, ''), 'base64'))
}

function parse(der: Buffer): RevocationList {
  const whole = new DerReader(der)
  const outer = whole.enter(Tag.sequence)
  if (!whole.done) throw new TlsError('bytes behind the list')
  const body = outer.next(Tag.sequence)
  const algorithm = dottedObjectId(outer.enter(Tag.sequence).next(Tag.objectId).content)
  const signature = outer.next(Tag.bitString).content.subarray(1)
  const list = new DerReader(body.content)
  if (list.peekTag() === Tag.integer) list.next()
  list.next(Tag.sequence)
  const issuer = list.next(Tag.sequence).whole.toString('hex')
  const thisUpdate = timeOf(list.next())
  const nextUpdate = isTime(list.peekTag()) ? timeOf(list.next()) : undefined
  const serials = list.peekTag() === Tag.sequence ? serialsIn(list.enter(Tag.sequence)) : new Set<string>()
  if (list.peekTag() === Tag.context0) refuseCritical(list.enter(Tag.context0).enter(Tag.sequence))
  return {
    pem: toPem(LABEL, der),
    issuer,
    thisUpdate,
    nextUpdate,
    serials,
    isSignedBy: key => {
      const digest = DIGESTS.get(algorithm)
      return digest === undefined ? undefined : verify(digest, body.whole, key, signature)
    },
  }
}

function serialsIn(entries: DerReader): Set<string> {
  const serials = new Set<string>()
  while (!entries.done) {
    const entry = entries.enter(Tag.sequence)
    serials.add(serialText(entry.next(Tag.integer).content))
    timeOf(entry.next())
    if (!entry.done) refuseCritical(entry.enter(Tag.sequence))
  }
  return serials
}

/** A list for some certificates only, or for those of several CAs, means something else than it seems to say. */
function refuseCritical(extensions: DerReader): void {
  while (!extensions.done) {
    const extension = extensions.enter(Tag.sequence)
    const oid = dottedObjectId(extension.next(Tag.objectId).content)
    const isCritical = extension.peekTag() === Tag.boolean && extension.next().content[0] !== 0
    if (isCritical || oid === CERTIFICATE_ISSUER) {
      throw new TlsError(`a partial, delta or indirect revocation list (extension ${oid}): give the CA's complete list`)
    }
  }
}

const serialText = (content: Buffer): string => content.toString('hex').replace(/^(00)+(?=..)/, '')
const isTime = (tag: number | undefined): boolean => tag === Tag.utcTime || tag === Tag.generalizedTime

function timeOf({ tag, content }: DerValue): Date {
  const text = content.toString('latin1')
  const digits = tag === Tag.utcTime ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(isTime(tag) ? digits : '') ?? []
  if (year === undefined) throw new TlsError('a time is written in no form that RFC 5280 knows')
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

/** What a certificate is called on a list: its issuer's name, and its number there. */
export interface CertificateNumber {
  readonly issuer: string
  readonly serial: string
}

export function certificateNumber(certificate: Buffer): CertificateNumber {
  const body = new DerReader(certificate).enter(Tag.sequence).enter(Tag.sequence)
  if (body.peekTag() === Tag.context0) body.next()
  const serial = serialText(body.next(Tag.integer).content)
  body.next(Tag.sequence)
  return { issuer: body.next(Tag.sequence).whole.toString('hex'), serial }
}

export function isRevoked(lists: readonly RevocationList[], { issuer, serial }: CertificateNumber): boolean {
  return lists.some(list => list.issuer === issuer && list.serials.has(serial))
}

/** A list that is signed by somebody else, or is over, would refuse every peer: better the one before. */
export function checkList(path: string, list: RevocationList, cas: readonly X509Certificate[], now: Date): void {
  if (now.getTime() + CLOCK_SKEW_MS < list.thisUpdate.getTime()) {
    throw new TlsError(
      `${path}: the revocation list begins on ${list.thisUpdate.toISOString()}: check the clock or wait`,
    )
  }
  if (list.nextUpdate !== undefined && now > list.nextUpdate) {
    throw new TlsError(
      `${path}: the revocation list ended on ${list.nextUpdate.toISOString()}, and every peer would be refused: get a newer one`,
    )
  }
  // A CA that got a new key has two certificates of one name.
  const [ca] = cas
  if (ca !== undefined && cas.every(({ publicKey }) => list.isSignedBy(publicKey) === false)) {
    throw new TlsError(`${path}: the revocation list is not signed by ${named(ca)}`)
  }
}
