/**
 * Strings out of received bytes.
 *
 * Names come again and again: a client says its id with every request, and the same few topics and groups. Found again by
 * their bytes they cost no call into native code, and a map that knows them has their hash already.
 */
import { isUtf8 } from 'node:buffer'
import { WireError } from '../errors.ts'

/** Up to here a loop is cheaper than a call into native code, and names are remembered: 128 KiB of them at most. */
export const shortBytesMax = 128

/** A power of two. What falls into a place that is taken takes it over. */
const places = 1024
const remembered: string[] = new Array(places).fill('')

/** The text of a few bytes of ASCII; undefined where there are others. */
export function asciiText(chunk: Buffer, start: number, end: number): string | undefined {
  for (let at = start; at < end; at++) {
    if (chunk[at]! >= 0x80) return undefined
  }
  return chunk.toString('latin1', start, end)
}

/** The same for a name, which is remembered. */
export function asciiName(chunk: Buffer, start: number, end: number): string | undefined {
  let hash = end - start
  for (let at = start; at < end; at++) {
    const byte = chunk[at]!
    if (byte >= 0x80) return undefined
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  const place = (hash ^ (hash >>> 15)) & (places - 1)
  const known = remembered[place]!
  if (isText(known, chunk, start, end)) return known
  const text = chunk.toString('latin1', start, end)
  remembered[place] = text
  return text
}

/** Another string may have the same place, and the same hash: only its bytes make a name the one that was meant. */
function isText(text: string, chunk: Buffer, start: number, end: number): boolean {
  const length = end - start
  if (text.length !== length) return false
  for (let at = 0; at < length; at++) {
    if (text.charCodeAt(at) !== chunk[start + at]) return false
  }
  return true
}

export function checkedUtf8(bytes: Buffer): string {
  // Node would decode every invalid sequence to the same character, and so make two names one.
  if (!isUtf8(bytes)) throw new WireError('string is not UTF-8')
  return bytes.toString('utf8')
}
