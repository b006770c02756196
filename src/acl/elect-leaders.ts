/**
 * ElectLeaders: Alter on the cluster. Whoever asks for all topics hears of those it may describe.
 * (ControllerApis.handleElectLeaders, ElectLeadersRequest.getErrorResponse)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { ElectLeadersRequest } from '../protocol/generated/elect-leaders-request.ts'
import { electLeadersResponseDefaults } from '../protocol/generated/elect-leaders-response.ts'
import { altersCluster, clusterDenial } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { dropHidden } from './hidden.ts'
import { cluster, topic as topicRights } from './rights.ts'

export function enforceElectLeaders(): EnforcementOf<typeof ApiKey.ElectLeaders> {
  const gate = altersCluster<typeof ApiKey.ElectLeaders>(cluster.alter, ({ topicPartitions }, apiVersion) => ({
    ...electLeadersResponseDefaults(),
    // Version 0 tells partitions alone.
    errorCode: apiVersion === 0 ? ErrorCode.NONE : clusterDenial.errorCode,
    replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map(partitionId => ({ partitionId, ...clusterDenial })),
    })),
  }))
  return {
    ...gate,
    response({ replicaElectionResults }, judge, { request }) {
      if ((request as ElectLeadersRequest).topicPartitions !== null) return false
      return dropHidden(replicaElectionResults, ({ topic }) => judge.seesBeside(topicRights.describe, topic))
    },
  }
}
