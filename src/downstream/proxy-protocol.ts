/**
 * The PROXY protocol, versions 1 and 2, as a parser over bytes.
 * https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 */
import { isIP } from 'node:net'
import { WireError } from '../errors.ts'

export interface ProxyHeader {
  /** Bytes of the header: what follows belongs to the client. */
  readonly byteLength: number
  /** The client's address; undefined for LOCAL (the balancer's own health check) and UNKNOWN. */
  readonly source: { readonly address: string; readonly port: number } | undefined
}

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const v1Prefix = Buffer.from('PROXY ', 'latin1')
/** The longest line that version 1 can be, its CRLF included. */
const v1BytesMax = 107
const v2HeaderBytes = 16
/** Addresses and TLVs; nobody needs more. */
const v2BodyBytesMax = 4096

/**
 * The header at the front of `bytes`, or undefined while more is needed.
 * @throws WireError where the bytes are no PROXY header.
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  if (startsAlike(bytes, signature)) return bytes.length < v2HeaderBytes ? undefined : parseV2(bytes)
  if (startsAlike(bytes, v1Prefix)) return parseV1(bytes)
  throw new WireError('no PROXY header, though this listener expects one')
}

/** Equal as far as both go. */
function startsAlike(bytes: Buffer, expected: Buffer): boolean {
  const length = Math.min(bytes.length, expected.length)
  return bytes.subarray(0, length).equals(expected.subarray(0, length))
}

function parseV1(bytes: Buffer): ProxyHeader | undefined {
  const end = bytes.subarray(0, v1BytesMax).indexOf('\r\n', 0, 'latin1')
  if (end < 0) {
    if (bytes.length < v1BytesMax) return undefined
    throw new WireError('PROXY header without an end')
  }
  const [, protocol, address = '', , port = ''] = bytes.toString('latin1', 0, end).split(' ')
  const byteLength = end + 2
  if (protocol === 'UNKNOWN') return { byteLength, source: undefined }
  const family = protocol === 'TCP4' ? 4 : protocol === 'TCP6' ? 6 : 0
  if (family === 0 || isIP(address) !== family || !/^\d{1,5}$/.test(port) || Number(port) > 0xffff) {
    throw new WireError('PROXY header with an address that is none')
  }
  return { byteLength, source: { address, port: Number(port) } }
}

function parseV2(bytes: Buffer): ProxyHeader | undefined {
  const version = bytes[12]! >> 4
  const command = bytes[12]! & 0x0f
  const family = bytes[13]! >> 4
  const bodyBytes = bytes.readUInt16BE(14)
  if (version !== 2 || command > 1) throw new WireError('PROXY header of an unknown version or command')
  if (bodyBytes > v2BodyBytesMax) throw new WireError('PROXY header too long', { details: { bodyBytes } })
  const byteLength = v2HeaderBytes + bodyBytes
  if (bytes.length < byteLength) return undefined
  if (command === 0) return { byteLength, source: undefined }
  return { byteLength, source: sourceOf(family, bytes.subarray(v2HeaderBytes, byteLength)) }
}

function sourceOf(family: number, body: Buffer): ProxyHeader['source'] {
  if (family === 1 && body.length >= 12) {
    return { address: [...body.subarray(0, 4)].join('.'), port: body.readUInt16BE(8) }
  }
  if (family === 2 && body.length >= 36) {
    const groups = Array.from({ length: 8 }, (_, at) => body.readUInt16BE(2 * at).toString(16))
    return { address: groups.join(':'), port: body.readUInt16BE(32) }
  }
  if (family === 0) return undefined
  throw new WireError('PROXY header with an address that is none')
}
