/**
 * OffsetForLeaderEpoch: ClusterAction on the cluster, else Describe on every topic; a denial is told on every partition.
 * (KafkaApis.handleOffsetForLeaderEpochRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type OffsetForLeaderTopicResult,
  offsetForLeaderEpochResponseDefaults,
  offsetForLeaderEpochResponseEpochEndOffsetDefaults,
} from '../protocol/generated/offset-for-leader-epoch-response.ts'
import { answer, type EnforcementOf, part, whole } from './enforcement.ts'
import { replaceHidden } from './hidden.ts'
import type { Judge } from './judge.ts'
import { cluster, clusterName, topic as topicRights } from './rights.ts'
import { append, splitDenied } from './split.ts'

export function enforceOffsetForLeaderEpoch(): EnforcementOf<typeof ApiKey.OffsetForLeaderEpoch> {
  return {
    request(body, judge) {
      const split = splitDenied(body.topics, ({ topic }) =>
        judge.allowsOneOf([topicRights.describe, topic], [cluster.clusterAction, clusterName]),
      )
      if (split === undefined) return whole
      const denials = split.denied.map(denial)
      if (split.allowed.length === 0) return answer({ ...offsetForLeaderEpochResponseDefaults(), topics: denials })
      body.topics = split.allowed
      return part(({ topics }) => append(topics, denials))
    },

    response({ topics }, judge) {
      if (actsForCluster(judge)) return false
      return replaceHidden(topics, ({ topic }) => judge.sees(topicRights.describe, topic), denial)
    },
  }
}

function actsForCluster(judge: Judge): boolean {
  return judge.grants(cluster.clusterAction, clusterName)
}

interface Named {
  readonly topic: string
  readonly partitions: readonly { readonly partition: number }[]
}

function denial({ topic, partitions }: Named): OffsetForLeaderTopicResult {
  return {
    topic,
    partitions: partitions.map(({ partition }) => ({
      ...offsetForLeaderEpochResponseEpochEndOffsetDefaults(),
      partition,
      errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    })),
  }
}
