/** Subjects of certificates that we issue: RFC 2253 text, as people write it and as principals are printed, to ASN.1. */
import { TlsError } from '../errors.ts'
import { type Asn1, ia5String, objectId, printableString, sequence, setOf, utf8String } from './pki.ts'

const TYPES: ReadonlyMap<string, string> = new Map([
  ['CN', '2.5.4.3'],
  ['C', '2.5.4.6'],
  ['L', '2.5.4.7'],
  ['ST', '2.5.4.8'],
  ['STREET', '2.5.4.9'],
  ['O', '2.5.4.10'],
  ['OU', '2.5.4.11'],
  ['UID', '0.9.2342.19200300.100.1.1'],
  ['DC', '0.9.2342.19200300.100.1.25'],
])

interface SubjectPart {
  readonly type: string
  readonly value: string
}

/** One `type=value`, with `\` before what would end it; the rest of the text begins with `,` or `+` or is empty. */
const PART = /^\s*([A-Za-z]+)\s*=((?:\\(?:[0-9a-fA-F]{2}|.)|[^\\,+])*)/su

function unescaped(value: string): string {
  const trimmed = value.replace(/^ +/, '').replace(/((?:\\.|[^\\])*?) *$/s, '$1')
  const bytes = trimmed.replace(/(?:\\[0-9a-fA-F]{2})+/g, run =>
    Buffer.from(run.replaceAll('\\', ''), 'hex').toString(),
  )
  return bytes.replace(/\\(.)/gs, '$1')
}

function parse(text: string): SubjectPart[][] {
  const relativeNames: SubjectPart[][] = [[]]
  let rest = text
  for (;;) {
    const found = PART.exec(rest)
    const type = (found?.[1] ?? '').toUpperCase()
    const value = unescaped(found?.[2] ?? '')
    if (!TYPES.has(type) || value === '') {
      throw new TlsError(
        `subject ${JSON.stringify(text)}: write it as CN=name,OU=team,O=company (types: ${[...TYPES.keys()].join(', ')})`,
      )
    }
    relativeNames.at(-1)!.push({ type, value })
    rest = rest.slice(found![0].length)
    if (rest === '') return relativeNames
    if (rest.startsWith(',')) relativeNames.push([])
    rest = rest.slice(1)
  }
}

function attribute({ type, value }: SubjectPart): Asn1 {
  const text = type === 'C' ? printableString(value) : type === 'DC' ? ia5String(value) : utf8String(value)
  return sequence(objectId(TYPES.get(type)!), text)
}

/** Encoded most general part first, which RFC 2253 writes last. */
export function encodeSubject(text: string): Asn1 {
  return sequence(
    ...parse(text)
      .reverse()
      .map(attributes => setOf(...attributes.map(attribute))),
  )
}
