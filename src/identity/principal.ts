/** Who a client is, in Kafka's words: a type and a name. Policies, audit records and logs see nothing else. */
import { TlsError } from '../errors.ts'

export interface Principal {
  readonly type: 'User'
  readonly name: string
}

const NAME_BYTES_MAX = 256

/** Line breaks and other controls forge log lines and policy rows; lone surrogates have no bytes of their own. */
const FORBIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u

const ANONYMOUS_NAME = 'ANONYMOUS'

/** The client of a listener that asks for neither a certificate nor SASL; never what a failure falls back to. */
export const anonymous: Principal = Object.freeze({ type: 'User', name: ANONYMOUS_NAME })

/**
 * A principal from a name that a credential vouches for; refused where it could be mistaken for another or for nobody.
 * Nothing is normalised: Kafka tells spellings apart, and whoever may choose a name could choose another's that way.
 */
export function userPrincipal(name: string): Principal {
  const reason = flaw(name)
  if (reason !== undefined)
    throw new TlsError(`a principal is refused: ${reason}`, { details: { name: JSON.stringify(name.slice(0, 64)) } })
  return Object.freeze({ type: 'User', name })
}

function flaw(name: string): string | undefined {
  if (name === '') return 'its name is empty'
  if (name === ANONYMOUS_NAME) return `${ANONYMOUS_NAME} is kept for clients without a credential`
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) return `its name is longer than ${NAME_BYTES_MAX} bytes`
  if (name !== name.normalize('NFC')) return 'its name is not in Unicode form NFC'
  if (FORBIDDEN.test(name)) return 'its name holds control characters'
  return undefined
}

export const formatPrincipal = ({ type, name }: Principal): string => `${type}:${name}`
