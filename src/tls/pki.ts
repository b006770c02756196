/**
 * ASN.1 as the rest of this room speaks it, by node-forge: this is its only importer. Forge reads the BER that PKCS#12
 * files are written in and writes DER; it knows no elliptic curves, so keys, signatures and ciphers are node:crypto's.
 * It sees the operator's own files and what we issue, never bytes from a peer: those go to `der.ts`.
 */
import forge from 'node-forge'

export type Asn1 = forge.asn1.Asn1

const { asn1 } = forge
const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class

const primitive = (type: forge.asn1.Type, value: string): Asn1 => asn1.create(UNIVERSAL, type, false, value)
const binary = (bytes: Buffer): string => bytes.toString('latin1')

export const sequence = (...items: Asn1[]): Asn1 => asn1.create(UNIVERSAL, asn1.Type.SEQUENCE, true, items)
export const setOf = (...items: Asn1[]): Asn1 => asn1.create(UNIVERSAL, asn1.Type.SET, true, items)
export const explicit = (tag: number, ...items: Asn1[]): Asn1 => asn1.create(CONTEXT_SPECIFIC, tag, true, items)
export const implicit = (tag: number, bytes: Buffer): Asn1 => asn1.create(CONTEXT_SPECIFIC, tag, false, binary(bytes))
export const objectId = (dotted: string): Asn1 => primitive(asn1.Type.OID, asn1.oidToDer(dotted).getBytes())
export const integer = (value: number): Asn1 => primitive(asn1.Type.INTEGER, asn1.integerToDer(value).getBytes())
export const octetString = (bytes: Buffer): Asn1 => primitive(asn1.Type.OCTETSTRING, binary(bytes))
export const bitString = (bytes: Buffer, unused = 0): Asn1 =>
  primitive(asn1.Type.BITSTRING, String.fromCharCode(unused) + binary(bytes))
export const utf8String = (text: string): Asn1 => primitive(asn1.Type.UTF8, binary(Buffer.from(text, 'utf8')))
export const ia5String = (text: string): Asn1 => primitive(asn1.Type.IA5STRING, text)
export const printableString = (text: string): Asn1 => primitive(asn1.Type.PRINTABLESTRING, text)
/** Forge keeps this one type as text and does the bytes itself. */
export const bmpString = (text: string): Asn1 => primitive(asn1.Type.BMPSTRING, text)
export const booleanTrue = (): Asn1 => primitive(asn1.Type.BOOLEAN, '\xff')
export const nullValue = (): Asn1 => primitive(asn1.Type.NULL, '')

/** A positive INTEGER of any size: a leading zero keeps the sign away. */
export function bigInteger(magnitude: Buffer): Asn1 {
  const signed = (magnitude[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), magnitude]) : magnitude
  return primitive(asn1.Type.INTEGER, binary(signed))
}

/** RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
export function time(date: Date): Asn1 {
  return date.getUTCFullYear() < 2050
    ? primitive(asn1.Type.UTCTIME, asn1.dateToUtcTime(date))
    : primitive(asn1.Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date))
}

export const encode = (node: Asn1): Buffer => Buffer.from(asn1.toDer(node).getBytes(), 'latin1')

/** Throws forge's own error; callers say which file it was. Bit strings stay bytes: guessing inside them is a trap. */
export function decode(bytes: Buffer): Asn1 {
  const options = { strict: true, parseAllBytes: true, decodeBitStrings: false }
  return asn1.fromDer(binary(bytes), options as unknown as boolean)
}

const describe = (node: Asn1 | undefined): string =>
  node === undefined ? 'nothing' : `tag ${node.tagClass + node.type}${node.constructed ? ' (constructed)' : ''}`

/** The parts of a SEQUENCE, a SET or an explicit tag. */
export function parts(node: Asn1 | undefined): Asn1[] {
  if (node === undefined || typeof node.value === 'string')
    throw new Error(`expected a structure, found ${describe(node)}`)
  return node.value
}

/** Content bytes of a string type; BER may have cut an OCTET STRING into pieces. */
export function contentOf(node: Asn1 | undefined): Buffer {
  if (node === undefined) throw new Error('expected bytes, found nothing')
  if (typeof node.value === 'string') return Buffer.from(node.value, 'latin1')
  return Buffer.concat(node.value.map(contentOf))
}

export function objectIdOf(node: Asn1 | undefined): string {
  if (node?.type !== asn1.Type.OID || node.tagClass !== UNIVERSAL || typeof node.value !== 'string') {
    throw new Error(`expected an object identifier, found ${describe(node)}`)
  }
  return asn1.derToOid(node.value)
}

/** A small INTEGER: counts and versions. */
export function integerOf(node: Asn1 | undefined): number {
  const bytes = node?.type === asn1.Type.INTEGER && node.tagClass === UNIVERSAL ? contentOf(node) : undefined
  if (bytes === undefined || bytes.length === 0 || bytes.length > 6) {
    throw new Error(`expected a small integer, found ${describe(node)}`)
  }
  return bytes.readIntBE(0, bytes.length)
}

export const isInteger = (node: Asn1 | undefined): boolean =>
  node?.type === asn1.Type.INTEGER && node.tagClass === UNIVERSAL

export const isSequence = (node: Asn1 | undefined): boolean =>
  node?.type === asn1.Type.SEQUENCE && node.tagClass === UNIVERSAL

export const isTagged = (node: Asn1 | undefined, tag: number): boolean =>
  node?.tagClass === CONTEXT_SPECIFIC && node.type === tag

export function textOf(node: Asn1 | undefined): string {
  if (node?.type === asn1.Type.BMPSTRING && typeof node.value === 'string') return node.value
  return contentOf(node).toString('utf8')
}
