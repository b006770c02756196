/**
 * The many APIs that need one right on the cluster and look at nothing else (AuthHelper.authorizeClusterOperation).
 * Where Kafka's text would quote the request, and with it the broker's own address, clients get the error's standard text.
 */
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestByKey, ResponseByKey } from '../protocol/codec.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { answer, type EnforcementOf, whole } from './enforcement.ts'
import { errorMessage } from './error-messages.ts'
import type { Judge } from './judge.ts'
import { type cluster, clusterName } from './rights.ts'

const errorCode = ErrorCode.CLUSTER_AUTHORIZATION_FAILED

/** For answers that have room for a code and a text. */
export const clusterDenial = Object.freeze({ errorCode, errorMessage: errorMessage(errorCode) })

const unreadable = Object.freeze({ kind: 'close', reason: 'values that Kafka cannot read' } as const)

type ClusterRight = (typeof cluster)[keyof typeof cluster]

/** Changes something: what was done is told, whatever the policy says by then. */
export function altersCluster<Key extends ApiKey>(
  right: ClusterRight,
  deny: (request: RequestByKey[Key], apiVersion: number) => ResponseByKey[Key],
  /** Kafka closes the connection on it before it asks for rights. */
  isUnreadable: (request: RequestByKey[Key]) => boolean = () => false,
): EnforcementOf<Key> {
  return {
    request(body, judge, { header }) {
      if (isUnreadable(body)) return unreadable
      return judge.allowsOnCluster(right) ? whole : answer(deny(body, header.apiVersion))
    },
  }
}

/** Tells something: who may not know it any more when the answer comes is denied then. */
export function describesCluster<Key extends ApiKey>(
  right: ClusterRight,
  deny: (request: RequestByKey[Key], apiVersion: number) => ResponseByKey[Key],
  /** Takes more out of an answer; says whether it did. */
  filter: (response: ResponseByKey[Key], judge: Judge) => boolean = () => false,
  isUnreadable: (request: RequestByKey[Key]) => boolean = () => false,
): EnforcementOf<Key> {
  return {
    ...altersCluster<Key>(right, deny, isUnreadable),
    response(body, judge, { request, header }) {
      if (judge.sees(right, clusterName)) return filter(body, judge)
      Object.assign(body as object, deny(request as RequestByKey[Key], header.apiVersion))
      return true
    },
  }
}
