/** The four messages of SCRAM (RFC 5802, section 7), read strictly and in order. */
import { decodeSaslName, strictBase64, strictText } from './text.ts'

/** Kafka speaks no channel binding: the header says so, and nobody else may be asked for. */
const gs2Pattern = /^n,(?:a=([^,]+))?,/
const noncePattern = '[\\x21-\\x2b\\x2d-\\x7e]{1,512}'
const firstBarePattern = new RegExp(`^n=([^,]+),r=(${noncePattern})((?:,[A-Za-z]+=[^,]*)*)$`)
const serverFirstPattern = new RegExp(`^r=(${noncePattern}),s=([^,]+),i=([1-9]\\d{0,9})((?:,[A-Za-z]+=[^,]*)*)$`)
const finalPattern = new RegExp(`^(c=([^,]+),r=(${noncePattern})(?:,(?!p=)[A-Za-z]+=[^,]*)*),p=([^,]+)$`)

export interface ClientFirst {
  readonly name: string
  readonly nonce: string
  readonly gs2Header: string
  readonly bare: string
}

/** Undefined where it is malformed, wants an extension that must be understood (m=), or to be somebody else. */
export function parseClientFirst(bytes: Buffer): ClientFirst | undefined {
  const text = strictText(bytes)
  const gs2 = text === undefined ? null : gs2Pattern.exec(text)
  if (text === undefined || gs2 === null) return undefined
  const bare = text.slice(gs2[0].length)
  const [, saslName = '', nonce = '', extensions = ''] = firstBarePattern.exec(bare) ?? []
  const name = decodeSaslName(saslName)
  if (name === undefined) return undefined
  if (gs2[1] !== undefined && decodeSaslName(gs2[1]) !== name) return undefined
  // KIP-48: the name would be a token's id, which belongs to the brokers.
  if (/,tokenauth=(?!false(?:,|$))/i.test(extensions)) return undefined
  return { name, nonce, gs2Header: gs2[0], bare }
}

export interface ClientFinal {
  readonly withoutProof: string
  readonly channelBinding: string
  readonly nonce: string
  readonly proof: Buffer
}

export function parseClientFinal(bytes: Buffer): ClientFinal | undefined {
  const match = finalPattern.exec(strictText(bytes) ?? '')
  if (match === null) return undefined
  const [, withoutProof = '', channelBinding = '', nonce = '', encodedProof = ''] = match
  const proof = strictBase64(encodedProof)
  return proof === undefined ? undefined : { withoutProof, channelBinding, nonce, proof }
}

export interface ServerFirst {
  readonly text: string
  readonly nonce: string
  readonly salt: Buffer
  readonly iterations: number
}

export function parseServerFirst(bytes: Buffer): ServerFirst | undefined {
  const text = strictText(bytes) ?? ''
  const match = serverFirstPattern.exec(text)
  if (match === null) return undefined
  const [, nonce = '', encodedSalt = '', iterations = ''] = match
  const salt = strictBase64(encodedSalt)
  return salt === undefined ? undefined : { text, nonce, salt, iterations: Number(iterations) }
}

/** The server's signature; undefined where the server says that it failed (e=), or nonsense. */
export function parseServerFinal(bytes: Buffer): Buffer | undefined {
  const [, encoded = ''] = /^v=([^,]+)(?:,[A-Za-z]+=[^,]*)*$/.exec(strictText(bytes) ?? '') ?? []
  return encoded === '' ? undefined : strictBase64(encoded)
}
