/**
 * DescribeCluster: never denied. Of the authorised operations, those that this policy grants are told, and none to whom
 * may not describe the cluster. Controllers are not served. (AuthHelper.computeDescribeClusterResponse)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type DescribeClusterResponse,
  describeClusterResponseDefaults,
} from '../protocol/generated/describe-cluster-response.ts'
import { answer, type EnforcementOf, whole } from './enforcement.ts'

const EndpointType = { broker: 1, controller: 2 } as const

export function enforceDescribeCluster(): EnforcementOf<typeof ApiKey.DescribeCluster> {
  return {
    request: ({ endpointType }) => (endpointType === EndpointType.broker ? whole : answer(refusal(endpointType))),
    response(body, judge) {
      const before = body.clusterAuthorizedOperations
      body.clusterAuthorizedOperations = judge.authorizedOnCluster(before)
      return body.clusterAuthorizedOperations !== before
    },
  }
}

function refusal(endpointType: number): DescribeClusterResponse {
  const [errorCode, errorMessage] =
    endpointType === EndpointType.controller
      ? [
          ErrorCode.MISMATCHED_ENDPOINT_TYPE,
          'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER',
        ]
      : [ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, `Unsupported endpoint type ${endpointType}`]
  return { ...describeClusterResponseDefaults(), errorCode, errorMessage }
}
