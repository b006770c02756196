/**
 * InitProducerId: Write on the transactional id, and TwoPhaseCommit beside it where the transaction is to outlive its
 * timeout (KIP-939). Without a transaction: IdempotentWrite on the cluster, or Write on any topic at all.
 * (KafkaApis.handleInitProducerIdRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { InitProducerIdRequest } from '../protocol/generated/init-producer-id-request.ts'
import {
  type InitProducerIdResponse,
  initProducerIdResponseDefaults,
} from '../protocol/generated/init-producer-id-response.ts'
import { answer, type EnforcementOf, type Ruling, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { cluster, clusterName, topic, transactionalId } from './rights.ts'

export function enforceInitProducerId(): EnforcementOf<typeof ApiKey.InitProducerId> {
  return {
    request(body, judge) {
      if (body.transactionalId === null) {
        return mayBeIdempotent(judge) ? whole : refuse(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
      }
      return mayTransact(body, body.transactionalId, judge)
        ? whole
        : refuse(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    },
  }
}

/** The right that producers have anyway is the one that was used. That the other is denied is no news: Kafka does not log it. */
function mayBeIdempotent(judge: Judge): boolean {
  const isOnlyByCluster = judge.grants(cluster.idempotentWrite, clusterName) && !judge.grantsOnAny(topic.write)
  return isOnlyByCluster ? judge.allowsOnCluster(cluster.idempotentWrite) : judge.allowsOnAny(topic.write)
}

function mayTransact({ enable2Pc }: InitProducerIdRequest, id: string, judge: Judge): boolean {
  return judge.allows(transactionalId.write, id) && (!enable2Pc || judge.allows(transactionalId.twoPhaseCommit, id))
}

function refuse(errorCode: number): Ruling<InitProducerIdResponse> {
  return answer({ ...initProducerIdResponseDefaults(), errorCode, producerId: -1n, producerEpoch: -1 })
}
