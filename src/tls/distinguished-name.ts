/**
 * A certificate's subject as the text that Kafka makes a principal of: RFC 2253 exactly as Java's
 * `X500Principal.getName()` prints it. Rules and ACLs written for a cluster must mean the same here, its oddities included.
 */
import { WireError } from '../errors.ts'
import { DerReader, type DerValue, dottedObjectId, Tag } from './der.ts'

/** Far beyond any real subject; mapping rules run regular expressions over this text. */
const NAME_BYTES_MAX = 1024

/** The types RFC 2253 names; Java prints all others as numbers with their value in hexadecimal. */
const KEYWORDS: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
])

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const utf16 = new TextDecoder('utf-16be', { fatal: true, ignoreBOM: true })
/** X.680: the basic plane only. */
const bmp = {
  decode(content: Buffer): string {
    const text = utf16.decode(content)
    if (/[\ud800-\udfff]/.test(text)) throw new RangeError('a BMPString holds half of a character')
    return text
  },
}
const latin1 = { decode: (content: Buffer): string => content.toString('latin1') }

/**
 * What Java takes for text, and reads as a current one does; the other string types it prints in hexadecimal. Java 17
 * takes all of them for UTF-8, which garbles BMPString and, beyond ASCII, the older types.
 */
const DECODERS: ReadonlyMap<number, { decode(content: Buffer): string }> = new Map([
  [Tag.utf8String, utf8],
  [Tag.printableString, latin1],
  [Tag.t61String, latin1],
  [Tag.ia5String, latin1],
  [Tag.generalString, latin1],
  [Tag.bmpString, bmp],
])

/** Undefined where the value is not text. */
function textOf({ tag, content }: DerValue): string | undefined {
  try {
    return DECODERS.get(tag)?.decode(content)
  } catch (cause) {
    // Java prints U+FFFD here, which makes different subjects look alike.
    throw new WireError('a distinguished name holds text that cannot be decoded', { cause })
  }
}

function escaped(value: string): string {
  const inside = value.replace(/[,=+<>#;"\\]/g, '\\$&').replaceAll('\0', '\\00')
  const lead = /^[ \r]*/.exec(inside)![0].length
  const trail = lead === inside.length ? lead : inside.length - /[ \r]*$/.exec(inside)![0].length
  const outside = (part: string): string => part.replace(/[ \r]/g, '\\$&')
  return outside(inside.slice(0, lead)) + inside.slice(lead, trail) + outside(inside.slice(trail))
}

function attribute(pair: DerReader): string {
  const oid = dottedObjectId(pair.next(Tag.objectId).content)
  const value = pair.next()
  if (!pair.done) throw new WireError('DER: an attribute of a name has more than type and value')
  const keyword = KEYWORDS.get(oid)
  const text = keyword === undefined ? undefined : textOf(value)
  return `${keyword ?? oid}=${text === undefined ? `#${value.whole.toString('hex')}` : escaped(text)}`
}

function relativeName(set: DerReader): string {
  const attributes: string[] = []
  while (!set.done) attributes.push(attribute(set.enter(Tag.sequence)))
  if (attributes.length === 0) throw new WireError('DER: an empty part of a name')
  return attributes.join('+')
}

/** `name` is the DER of an X.501 Name. The empty name is the empty string. */
export function distinguishedName(name: Buffer): string {
  if (name.length > NAME_BYTES_MAX) {
    throw new WireError('a distinguished name is too long', {
      details: { bytes: name.length, bytesMax: NAME_BYTES_MAX },
    })
  }
  const relativeNames = new DerReader(name).enter(Tag.sequence)
  const found: string[] = []
  while (!relativeNames.done) found.push(relativeName(relativeNames.enter(Tag.set)))
  return found.reverse().join(',')
}

/** The DER of a certificate's subject (RFC 5280 4.1). */
export function subjectName(certificate: Buffer): Buffer {
  const body = new DerReader(certificate).enter(Tag.sequence).enter(Tag.sequence)
  if (body.peekTag() === Tag.context0) body.next()
  body.next(Tag.integer)
  body.next(Tag.sequence)
  body.next(Tag.sequence)
  body.next(Tag.sequence)
  return body.next(Tag.sequence).whole
}

export const subjectOf = (certificate: Buffer): string => distinguishedName(subjectName(certificate))
