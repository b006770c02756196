/** The questions every API asks that goes to a group's coordinator. */
import { ErrorCode } from '../protocol/error-code.ts'
import type { Call } from './handler.ts'

type Asked = Pick<Call, 'cluster' | 'nodeId' | 'refusal'>

/** NONE where this node coordinates the group. */
export function judgeCoordinator({ cluster, nodeId, refusal }: Asked, groupId: string): ErrorCode {
  if (refusal !== undefined) return refusal
  if (groupId === '') return ErrorCode.INVALID_GROUP_ID
  return cluster.coordinatorOf(groupId)?.nodeId === nodeId ? ErrorCode.NONE : ErrorCode.NOT_COORDINATOR
}
