/** Text and base64 in SASL messages, read strictly: two spellings of one thing would be a way around a check. */
import { isUtf8 } from 'node:buffer'
import { messageBytesMax } from './conversation.ts'

/** Undefined where the bytes are no UTF-8, or too many. Nothing is normalised: Kafka applies SASLprep on neither side. */
export function strictText(bytes: Buffer): string | undefined {
  return bytes.length <= messageBytesMax && isUtf8(bytes) ? bytes.toString('utf8') : undefined
}

/** Undefined where the text is not the one spelling of its bytes; Node's own decoder skips what it does not know. */
export function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** RFC 5802: `=2C` and `=3D` stand for a comma and an equals sign; no other `=` may be there. */
export function decodeSaslName(encoded: string): string | undefined {
  if (encoded === '' || encoded.includes(',') || /=(?!2C|3D)/.test(encoded) || encoded.includes('\0')) return undefined
  return encoded.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

export const encodeSaslName = (name: string): string => name.replaceAll('=', '=3D').replaceAll(',', '=2C')
