/**
 * DescribeLogDirs: Describe on the cluster, which shows the topics that may be described. Before version 3 a denial is an
 * empty answer. (KafkaApis.handleDescribeLogDirsRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import {
  type DescribeLogDirsTopic,
  describeLogDirsResponseDefaults,
} from '../protocol/generated/describe-log-dirs-response.ts'
import { clusterDenial, describesCluster } from './cluster-gate.ts'
import type { EnforcementOf } from './enforcement.ts'
import { dropHidden } from './hidden.ts'
import { cluster, topic as topicRights } from './rights.ts'

export function enforceDescribeLogDirs(): EnforcementOf<typeof ApiKey.DescribeLogDirs> {
  return describesCluster(
    cluster.describe,
    () => ({ ...describeLogDirsResponseDefaults(), errorCode: clusterDenial.errorCode }),
    ({ results }, judge) => {
      const isSeen = ({ name }: DescribeLogDirsTopic): boolean => judge.seesBeside(topicRights.describe, name)
      return results.map(({ topics }) => dropHidden(topics, isSeen)).includes(true)
    },
  )
}
