/**
 * The PROXY protocol, versions 1 and 2, as a parser over bytes.
 * https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 */
import { isIP, SocketAddress } from 'node:net'
import { WireError } from '../errors.ts'

export interface ProxyHeader {
  /** Bytes of the header: what follows belongs to the client. */
  readonly byteLength: number
  /** The client's address; undefined for LOCAL (the balancer's own health check) and UNKNOWN. */
  readonly source: { readonly address: string; readonly port: number } | undefined
}

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const v1Prefix = Buffer.from('PROXY ', 'latin1')
const v1Line = /^PROXY TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5})$/
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
  const line = bytes.toString('latin1', 0, end)
  const byteLength = end + 2
  if (/^PROXY UNKNOWN( |$)/.test(line)) return { byteLength, source: undefined }
  const [, version, address = '', destination = '', ...ports] = v1Line.exec(line) ?? []
  if (!isFamily(version, address, destination) || ports.some(port => Number(port) > 0xffff)) {
    throw new WireError('PROXY header with an address that is none')
  }
  return { byteLength, source: { address: canonical(address), port: Number(ports[0]) } }
}

const isFamily = (version: string | undefined, ...addresses: string[]): boolean =>
  addresses.every(address => isIP(address) === Number(version))

/** One address must count as one, however it is spelled. */
function canonical(address: string): string {
  if (isIP(address) === 4) return address
  const { address: short } = new SocketAddress({ address, family: 'ipv6' })
  return short.startsWith('::ffff:') && short.includes('.') ? short.slice('::ffff:'.length) : short
}

function parseV2(bytes: Buffer): ProxyHeader | undefined {
  const version = bytes[12]! >> 4
  const command = bytes[12]! & 0x0f
  const family = bytes[13]! >> 4
  const isStream = (bytes[13]! & 0x0f) === 1
  const bodyBytes = bytes.readUInt16BE(14)
  if (version !== 2 || command > 1) throw new WireError('PROXY header of an unknown version or command')
  if (bodyBytes > v2BodyBytesMax) throw new WireError('PROXY header too long', { details: { bodyBytes } })
  const byteLength = v2HeaderBytes + bodyBytes
  if (bytes.length < byteLength) return undefined
  if (command === 0 || family === 0) return { byteLength, source: undefined }
  if (!isStream) throw new WireError('PROXY header of what is no stream')
  return { byteLength, source: sourceOf(family, bytes.subarray(v2HeaderBytes, byteLength)) }
}

function sourceOf(family: number, body: Buffer): ProxyHeader['source'] {
  if (family === 1 && body.length >= 12) {
    return { address: [...body.subarray(0, 4)].join('.'), port: body.readUInt16BE(8) }
  }
  if (family === 2 && body.length >= 36) {
    const groups = Array.from({ length: 8 }, (_, at) => body.readUInt16BE(2 * at).toString(16))
    return { address: canonical(groups.join(':')), port: body.readUInt16BE(32) }
  }
  throw new WireError('PROXY header with an address that is none')
}
