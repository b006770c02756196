/** InitProducerId 0–5 for idempotent producers. Leaves out: transactional ids, which are refused. */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { initProducerIdResponseDefaults } from '../../protocol/generated/init-producer-id-response.ts'
import { handler } from '../handler.ts'

export const initProducerId = handler(ApiKey.InitProducerId, [0, 5], ({ cluster, body, refusal }) => {
  const errorCode = refusal ?? (body.transactionalId === null ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST)
  if (errorCode !== ErrorCode.NONE) {
    return { ...initProducerIdResponseDefaults(), errorCode, producerId: -1n, producerEpoch: -1 }
  }
  return { ...initProducerIdResponseDefaults(), producerId: cluster.nextProducerId(), producerEpoch: 0 }
})
