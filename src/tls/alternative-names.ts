/** The alternative names of a peer's certificate (RFC 5280 4.2.1.6), read strictly: they may name a principal. */
import { WireError } from '../errors.ts'
import { DerReader, dottedObjectId, Tag } from './der.ts'

/** The kinds that are text, under the names the configuration has for them. */
export type AlternativeNameKind = 'dns' | 'email' | 'uri'

const TAGS: Readonly<Record<AlternativeNameKind, number>> = { email: 0x81, dns: 0x82, uri: 0x86 }
const SUBJECT_ALT_NAME = '2.5.29.17'
const NAME_BYTES_MAX = 1024

/** All names of one kind, in the order of the certificate. */
export function alternativeNames(certificate: Buffer, kind: AlternativeNameKind): string[] {
  const value = extensionOf(certificate, SUBJECT_ALT_NAME)
  if (value === undefined) return []
  const names: string[] = []
  const list = new DerReader(value).enter(Tag.sequence)
  while (!list.done) {
    const { tag, content } = list.next()
    if (tag === TAGS[kind]) names.push(textOf(content))
  }
  return names
}

/** IA5String: ASCII. A control character, NUL above all, makes one name look like another. */
function textOf(content: Buffer): string {
  const text = content.toString('latin1')
  if (content.length > NAME_BYTES_MAX) throw new WireError('an alternative name is too long')
  if (!/^[\x20-\x7e]+$/.test(text)) throw new WireError('an alternative name is not printable ASCII')
  return text
}

function extensionOf(certificate: Buffer, wanted: string): Buffer | undefined {
  const body = new DerReader(certificate).enter(Tag.sequence).enter(Tag.sequence)
  while (!body.done && body.peekTag() !== Tag.context3) body.next()
  if (body.done) return undefined
  const extensions = body.enter(Tag.context3).enter(Tag.sequence)
  while (!extensions.done) {
    const extension = extensions.enter(Tag.sequence)
    const oid = dottedObjectId(extension.next(Tag.objectId).content)
    if (extension.peekTag() === Tag.boolean) extension.next()
    if (oid === wanted) return extension.next(Tag.octetString).content
  }
  return undefined
}
