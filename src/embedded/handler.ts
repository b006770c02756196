/** The shape of a handler: one file per API in handlers/, each saying which versions it serves and what it leaves out. */
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestByKey, ResponseByKey } from '../protocol/codec.ts'
import type { ErrorCode } from '../protocol/error-code.ts'
import type { ClusterState } from './cluster-state.ts'

/** The lowest and the highest version. */
export type VersionRange = readonly [min: number, max: number]

export interface Call<Key extends ApiKey = ApiKey> {
  readonly cluster: ClusterState
  /** The node that was asked. */
  readonly nodeId: number
  readonly version: number
  readonly clientId: string
  readonly clientHost: string
  readonly body: RequestByKey[Key]
  /** Where the node was told to misbehave: what it must answer, changing nothing. */
  readonly refusal: ErrorCode | undefined
  /** Aborted when the client has gone. */
  readonly gone: AbortSignal
}

export const noAnswer = Symbol('no answer')
export const hangUp = Symbol('hang up')

export type Answer<Key extends ApiKey> = ResponseByKey[Key] | typeof noAnswer | typeof hangUp

export interface Handler {
  readonly key: ApiKey
  readonly versions: VersionRange
  readonly handle: (call: Call<never>) => Answer<ApiKey> | Promise<Answer<ApiKey>>
}

export function handler<Key extends ApiKey>(
  key: Key,
  versions: VersionRange,
  handle: (call: Call<Key>) => Answer<Key> | Promise<Answer<Key>>,
): Handler {
  return { key, versions, handle }
}
