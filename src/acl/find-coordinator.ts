/**
 * FindCoordinator: Describe on the group or the transactional id whose coordinator is asked for; that of a share
 * partition is for brokers. (KafkaApis.handleFindCoordinatorRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { FindCoordinatorRequest } from '../protocol/generated/find-coordinator-request.ts'
import {
  type Coordinator,
  coordinatorDefaults,
  type FindCoordinatorResponse,
  findCoordinatorResponseDefaults,
} from '../protocol/generated/find-coordinator-response.ts'
import { answer, type EnforcementOf, part, type Ruling, whole } from './enforcement.ts'
import { errorMessage } from './error-messages.ts'
import type { Judge } from './judge.ts'
import { cluster, group, transactionalId } from './rights.ts'
import { append, splitDenied } from './split.ts'

const KeyType = { group: 0, transaction: 1, share: 2 } as const
const manyKeysFrom = 4
const shareKeysFrom = 6

export function enforceFindCoordinator(): EnforcementOf<typeof ApiKey.FindCoordinator> {
  return {
    request(body, judge, { header: { apiVersion } }) {
      const { keyType } = body
      if (keyType === KeyType.share) return judgeShare(body, judge, apiVersion)
      if (apiVersion < manyKeysFrom)
        return isAllowed(body.key, keyType, judge) ? whole : refuseOne(deniedError(keyType))
      const split = splitDenied(body.coordinatorKeys, key => isAllowed(key, keyType, judge))
      if (split === undefined) return whole
      const denials = split.denied.map(key => nobody(key, deniedError(keyType)))
      if (split.allowed.length === 0) return answer({ ...findCoordinatorResponseDefaults(), coordinators: denials })
      body.coordinatorKeys = split.allowed
      return part(({ coordinators }) => append(coordinators, denials))
    },
  }
}

/** Older versions do not know share partitions, whoever asks. */
function judgeShare(
  { coordinatorKeys }: FindCoordinatorRequest,
  judge: Judge,
  apiVersion: number,
): Ruling<FindCoordinatorResponse> {
  if (apiVersion < manyKeysFrom) return refuseOne(ErrorCode.INVALID_REQUEST)
  if (apiVersion < shareKeysFrom) {
    const coordinators = coordinatorKeys.map(key => nobody(key, ErrorCode.INVALID_REQUEST))
    return answer({ ...findCoordinatorResponseDefaults(), coordinators })
  }
  if (judge.allowsOnCluster(cluster.clusterAction)) return whole
  const errorCode: number = ErrorCode.CLUSTER_AUTHORIZATION_FAILED
  const coordinators = coordinatorKeys.map(key => ({
    ...nobody(key, errorCode),
    errorMessage: errorMessage(errorCode),
  }))
  return answer({ ...findCoordinatorResponseDefaults(), coordinators })
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

function refuseOne(errorCode: number): Ruling<FindCoordinatorResponse> {
  const { key: _, ...coordinator } = nobody('', errorCode)
  return answer({ ...findCoordinatorResponseDefaults(), ...coordinator, errorMessage: errorMessage(errorCode) })
}

/** Where many keys are asked for, Kafka leaves the text empty. */
function nobody(key: string, errorCode: number): Coordinator {
  return { ...coordinatorDefaults(), key, nodeId: -1, port: -1, errorCode }
}
