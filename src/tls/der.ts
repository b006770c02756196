/**
 * A bounded walk over DER that came from a peer: no recursion, no copy, no length beyond the bytes at hand.
 * `pki.ts` is for our own files; this is all of ASN.1 that a stranger's certificate gets to touch.
 */
import { WireError } from '../errors.ts'

export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  generalString: 0x1b,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
  context0: 0xa0,
  context3: 0xa3,
} as const

export interface DerValue {
  readonly tag: number
  readonly content: Buffer
  /** Tag and length included. */
  readonly whole: Buffer
}

const LENGTH_BYTES_MAX = 3

export class DerReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at === this.#bytes.length
  }

  peekTag(): number | undefined {
    return this.#bytes[this.#at]
  }

  next(tag?: number): DerValue {
    const start = this.#at
    const found = this.#byte()
    if ((found & 0x1f) === 0x1f) throw new WireError('DER: tags of several bytes are not used in certificates')
    if (tag !== undefined && tag !== found) {
      throw new WireError('DER: another structure was expected', { details: { expected: tag, found } })
    }
    const length = this.#length()
    const from = this.#at
    if (length > this.#bytes.length - from) throw new WireError('DER: a length reaches beyond the end')
    this.#at = from + length
    return { tag: found, content: this.#bytes.subarray(from, this.#at), whole: this.#bytes.subarray(start, this.#at) }
  }

  /** A reader inside the next structure. */
  enter(tag: number): DerReader {
    return new DerReader(this.next(tag).content)
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new WireError('DER: the bytes end too early')
    this.#at++
    return byte
  }

  #length(): number {
    const first = this.#byte()
    if (first < 0x80) return first
    const count = first & 0x7f
    if (count === 0 || count > LENGTH_BYTES_MAX) throw new WireError('DER: a length is out of bounds')
    let length = 0
    for (let read = 0; read < count; read++) length = length * 256 + this.#byte()
    if (length < 0x80) throw new WireError('DER: a length is not in its shortest form')
    return length
  }
}

/** Dotted form of an OBJECT IDENTIFIER's content. */
export function dottedObjectId(content: Buffer): string {
  const arcs: bigint[] = []
  let arc = 0n
  for (const byte of content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f)
    if (arc >= 1n << 64n) throw new WireError('DER: an object identifier is out of bounds')
    if (byte >= 0x80) continue
    arcs.push(arc)
    arc = 0n
  }
  const first = arcs.shift()
  if (first === undefined || content.at(-1)! >= 0x80) throw new WireError('DER: an object identifier is cut short')
  const root = first < 80n ? first / 40n : 2n
  return [root, first - root * 40n, ...arcs].join('.')
}
