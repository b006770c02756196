/**
 * FindCoordinator: Describe on the group or the transactional id whose coordinator is asked for; that of a share
 * partition is for brokers. (KafkaApis.handleFindCoordinatorRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type Coordinator,
  type FindCoordinatorResponse,
  findCoordinatorResponseDefaults,
} from '../protocol/generated/find-coordinator-response.ts'
import { answer, type EnforcementOf, part, type Ruling, whole } from './enforcement.ts'
import { errorMessage } from './error-messages.ts'
import type { Judge } from './judge.ts'
import { cluster, group, transactionalId } from './rights.ts'
import { append, splitDenied } from './split.ts'

const KeyType = { group: 0, transaction: 1, share: 2 } as const

export function enforceFindCoordinator(): EnforcementOf<typeof ApiKey.FindCoordinator> {
  return {
    request(body, judge, { header }) {
      const { keyType } = body
      if (keyType === KeyType.share && !judge.allowsOnCluster(cluster.clusterAction)) {
        return refuseWhole(body.coordinatorKeys, ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
      }
      if (header.apiVersion < manyKeysFrom) return judgeOne(body.key, keyType, judge)
      const split = splitDenied(body.coordinatorKeys, key => isAllowed(key, keyType, judge))
      if (split === undefined) return whole
      const denials = split.denied.map(key => nobody(key, deniedError(keyType)))
      if (split.allowed.length === 0) return answer({ ...findCoordinatorResponseDefaults(), coordinators: denials })
      body.coordinatorKeys = split.allowed
      return part(({ coordinators }) => append(coordinators, denials))
    },
  }
}

const manyKeysFrom = 4

function judgeOne(key: string, keyType: number, judge: Judge): Ruling<FindCoordinatorResponse> {
  if (isAllowed(key, keyType, judge)) return whole
  const { key: _, ...coordinator } = nobody(key, deniedError(keyType))
  return answer({ ...findCoordinatorResponseDefaults(), ...coordinator })
}

/** Types that Kafka does not know are the broker's to refuse. */
function isAllowed(key: string, keyType: number, judge: Judge): boolean {
  if (keyType === KeyType.group) return judge.allows(group.describe, key)
  return keyType !== KeyType.transaction || judge.allows(transactionalId.describe, key)
}

function deniedError(keyType: number): number {
  return keyType === KeyType.group
    ? ErrorCode.GROUP_AUTHORIZATION_FAILED
    : ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
}

function refuseWhole(keys: readonly string[], errorCode: number): Ruling<FindCoordinatorResponse> {
  const coordinators = keys.map(key => nobody(key, errorCode))
  return answer({ ...findCoordinatorResponseDefaults(), coordinators })
}

function nobody(key: string, errorCode: number): Coordinator {
  return { key, nodeId: -1, host: '', port: -1, errorCode, errorMessage: errorMessage(errorCode) }
}
