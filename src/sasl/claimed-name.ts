/** Whom a client's message names, for those who only pass it on: true once a broker has said so. */
import type { Mechanism } from './conversation.ts'
import { parseBearer } from './oauthbearer.ts'
import { parsePlain } from './plain.ts'
import { parseClientFirst } from './scram-messages.ts'

/** Undefined where the message names nobody, or asks to be somebody else. */
export function claimedName(mechanism: Mechanism, bytes: Buffer): string | undefined {
  if (mechanism === 'PLAIN') return parsePlain(bytes)?.name
  if (mechanism === 'OAUTHBEARER') return subjectOf(parseBearer(bytes))
  return parseClientFirst(bytes)?.name
}

function subjectOf(message: ReturnType<typeof parseBearer>): string | undefined {
  const [, payload = ''] = message?.token.split('.') ?? []
  let subject: unknown
  try {
    subject = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))?.sub
  } catch {
    // A token of another kind names nobody that we could know.
  }
  if (typeof subject !== 'string') return undefined
  return message?.authzid === undefined || message.authzid === subject ? subject : undefined
}
