/** FindCoordinator 0–6 for groups and transactional ids. Leaves out: share partitions. */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import {
  type Coordinator,
  findCoordinatorResponseDefaults,
} from '../../protocol/generated/find-coordinator-response.ts'
import { type Call, handler } from '../handler.ts'

type FindCoordinatorCall = Call<typeof ApiKey.FindCoordinator>

const shareKey = 2
/** KIP-699: from here on many keys in one request. */
const keysFrom = 4

export const findCoordinator = handler(ApiKey.FindCoordinator, [0, 6], call => {
  const { version, body } = call
  if (version >= keysFrom) {
    return { ...findCoordinatorResponseDefaults(), coordinators: body.coordinatorKeys.map(key => find(call, key)) }
  }
  const { key: _, ...found } = find(call, body.key)
  return { ...findCoordinatorResponseDefaults(), ...found }
})

function find({ cluster, body, refusal }: FindCoordinatorCall, key: string): Coordinator {
  const failed = (errorCode: ErrorCode) => ({ key, nodeId: -1, host: '', port: -1, errorCode, errorMessage: null })
  if (refusal !== undefined) return failed(refusal)
  if (body.keyType === shareKey || key === '') return failed(ErrorCode.INVALID_REQUEST)
  const broker = cluster.coordinatorOf(key)
  if (broker === undefined) return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  const { nodeId, host, port } = broker
  return { key, nodeId, host, port, errorCode: ErrorCode.NONE, errorMessage: null }
}
