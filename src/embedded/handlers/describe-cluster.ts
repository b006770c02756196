/** DescribeCluster 0–2. Leaves out: controllers, which nodes of this kind do not have apart. */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { describeClusterResponseDefaults } from '../../protocol/generated/describe-cluster-response.ts'
import { everyOperation } from '../authorized-operations.ts'
import { handler } from '../handler.ts'

const brokerEndpoints = 1

export const describeCluster = handler(ApiKey.DescribeCluster, [0, 2], ({ cluster, body }) => {
  if (body.endpointType !== brokerEndpoints) {
    const errorMessage = 'only brokers listen here'
    return { ...describeClusterResponseDefaults(), errorCode: ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, errorMessage }
  }
  return {
    ...describeClusterResponseDefaults(),
    clusterId: cluster.settings.clusterId,
    controllerId: cluster.controllerId,
    brokers: Array.from(cluster.brokers.values(), ({ nodeId: brokerId, host, port, rack }) => {
      return { brokerId, host, port, rack, isFenced: false }
    }),
    ...(body.includeClusterAuthorizedOperations ? { clusterAuthorizedOperations: everyOperation.cluster } : {}),
  }
})
