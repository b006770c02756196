/**
 * WriteTxnMarkers: Alter on the cluster, or else ClusterAction; an administrator ends a hanging transaction with it. There
 * is no error of the whole: a denial is told on every partition, once, and of markers for one producer the last counts.
 * (KafkaApis.handleWriteTxnMarkersRequest, WriteTxnMarkersRequest.getErrorResponse)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { WritableTxnMarker } from '../protocol/generated/write-txn-markers-request.ts'
import {
  type WritableTxnMarkerResult,
  writeTxnMarkersResponseDefaults,
} from '../protocol/generated/write-txn-markers-response.ts'
import { answer, type EnforcementOf, whole } from './enforcement.ts'
import { joinRepeated } from './repeated.ts'
import { cluster, clusterName } from './rights.ts'

export function enforceWriteTxnMarkers(): EnforcementOf<typeof ApiKey.WriteTxnMarkers> {
  return {
    request({ markers }, judge) {
      if (judge.allowsOneOf([cluster.clusterAction, clusterName], [cluster.alter, clusterName])) return whole
      const denials = new Map(markers.map(marker => [marker.producerId, denial(marker)]))
      return answer({ ...writeTxnMarkersResponseDefaults(), markers: [...denials.values()] })
    },
  }
}

function denial({ producerId, topics }: WritableTxnMarker): WritableTxnMarkerResult {
  const errorCode: number = ErrorCode.CLUSTER_AUTHORIZATION_FAILED
  const denied = topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map(partitionIndex => ({ partitionIndex, errorCode })),
  }))
  return {
    producerId,
    topics: joinRepeated(
      denied,
      ({ name }) => name,
      ({ partitions }) => partitions,
      ({ partitionIndex }) => partitionIndex,
    ),
  }
}
