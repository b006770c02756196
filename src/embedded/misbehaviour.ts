/** Ways in which a node can be told to misbehave. One rule applies to a request: the oldest that fits it. */
import type { ApiKey } from '../protocol/api-key.ts'
import type { ResponseByKey } from '../protocol/codec.ts'
import type { ErrorCode } from '../protocol/error-code.ts'
import type { SeenRequest } from './seen.ts'

export type Misdeed<Key extends ApiKey = ApiKey> =
  /** Closes the connection and does nothing of what was asked. */
  | { readonly kind: 'drop' }
  /** Does what was asked and closes the connection instead of saying so. */
  | { readonly kind: 'dropAnswer' }
  /** Never answers this, nor what follows it on the connection. */
  | { readonly kind: 'silence' }
  /** Waits, then behaves. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Answers with this error wherever the answer has room for one, and does nothing of what was asked. */
  | { readonly kind: 'error'; readonly errorCode: ErrorCode }
  /** The same with NOT_LEADER_OR_FOLLOWER, and where the leader really is. */
  | { readonly kind: 'wrongLeader' }
  /** Says this instead: a message, or bytes as they are, length prefix and all. */
  | { readonly kind: 'answer'; readonly answer: (request: SeenRequest<Key>) => ResponseByKey[Key] | Buffer }
  /** Behaves, and changes what it says. */
  | { readonly kind: 'amend'; readonly amend: (body: ResponseByKey[Key], request: SeenRequest<Key>) => void }
  /** Sends so many bytes of the answer, prefix included, and closes the connection. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** Announces so many bytes, sends the answer and stays silent. */
  | { readonly kind: 'oversize'; readonly bytes: number }
  /** Announces the most a frame can have and sends bytes for as long as somebody takes them. */
  | { readonly kind: 'endless' }

export type Misbehaviour<Key extends ApiKey = ApiKey> = Misdeed<Key> & {
  /** Default: every API. */
  readonly api?: Key
  /** Default: every node. */
  readonly nodeId?: number
  /** Default: until ended. */
  readonly times?: number
  readonly when?: (request: SeenRequest<Key>) => boolean
}

interface Rule {
  readonly misbehaviour: Misbehaviour
  left: number
}

export class Misbehaviours {
  readonly #rules: Rule[] = []

  /** @returns what ends it. */
  add<Key extends ApiKey>(misbehaviour: Misbehaviour<Key>): () => void {
    const { times = Number.POSITIVE_INFINITY } = misbehaviour
    // `api` decides which requests the functions are given, so their parameter is what they expect.
    const rule = { misbehaviour: misbehaviour as unknown as Misbehaviour, left: times }
    this.#rules.push(rule)
    return () => {
      rule.left = 0
    }
  }

  /** Uses up one time of the rule it answers. */
  take(request: SeenRequest): Misdeed | undefined {
    const rule = this.#rules.find(({ misbehaviour: { api, nodeId, when }, left }) => {
      if (left === 0 || (api !== undefined && api !== request.header.apiKey)) return false
      return (nodeId === undefined || nodeId === request.connection.nodeId) && (when?.(request) ?? true)
    })
    if (rule === undefined) return undefined
    rule.left--
    return rule.misbehaviour
  }
}

/** Sets the code at the innermost places that hold one, as a broker would that fails each item asked for. */
export function failEverywhere(message: object, errorCode: ErrorCode): boolean {
  const inner = Object.values(message).flat().filter(isPlainObject)
  const isInner = inner.map(each => failEverywhere(each, errorCode)).some(Boolean)
  if (isInner) return true
  if (!('errorCode' in message)) return false
  message.errorCode = errorCode
  return true
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
