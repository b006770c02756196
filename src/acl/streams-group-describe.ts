/**
 * StreamsGroupDescribe: Describe on every group; a group whose topology uses a topic that the client may not describe is
 * blanked as a whole. Kafka shows the topics of a topology's description (KIP-1331) to whoever may see the group; here a
 * description that names a denied one is told as one that is not there. (KafkaApis.handleStreamsGroupDescribe)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type StreamsGroupDescribeResponse,
  type StreamsGroupDescribeResponseDescribedGroup,
  type StreamsGroupDescribeResponseTopologyDescription,
  streamsGroupDescribeResponseDefaults,
  streamsGroupDescribeResponseDescribedGroupDefaults,
} from '../protocol/generated/streams-group-describe-response.ts'
import { blankGroups, judgeDescribedGroups, maskGroups } from './described-groups.ts'
import type { EnforcementOf } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { topic as topicRights } from './rights.ts'

export function enforceStreamsGroupDescribe(): EnforcementOf<typeof ApiKey.StreamsGroupDescribe> {
  return {
    request(body, judge) {
      const defaults = streamsGroupDescribeResponseDefaults
      const { ruling, allowed } = judgeDescribedGroups(body.groupIds, judge, denial, defaults)
      body.groupIds = allowed
      return ruling
    },
    response(body, judge) {
      const isMasked = maskGroups(body, judge, denial)
      const isBlanked = blankGroups(body, judge, topicsOf, blank)
      return hideDescriptions(body, judge) || isBlanked || isMasked
    },
  }
}

function denial(groupId: string): StreamsGroupDescribeResponseDescribedGroup {
  const errorCode: number = ErrorCode.GROUP_AUTHORIZATION_FAILED
  return { ...streamsGroupDescribeResponseDescribedGroupDefaults(), groupId, errorCode }
}

function blank(groupId: string): StreamsGroupDescribeResponseDescribedGroup {
  return {
    ...streamsGroupDescribeResponseDescribedGroupDefaults(),
    groupId,
    errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    errorMessage: 'The described group uses topics that the client is not authorized to describe.',
  }
}

function topicsOf({ topology }: StreamsGroupDescribeResponseDescribedGroup): Set<string> {
  const used = (topology?.subtopologies ?? []).flatMap(subtopology => [
    ...subtopology.sourceTopics,
    ...subtopology.repartitionSinkTopics,
    ...subtopology.repartitionSourceTopics.map(({ name }) => name),
    ...subtopology.stateChangelogTopics.map(({ name }) => name),
  ])
  return new Set(used)
}

/** NOT_STORED of TopologyDescriptionStatus: nobody has sent one. */
const notStored = 1

function hideDescriptions({ groups }: StreamsGroupDescribeResponse, judge: Judge): boolean {
  let isChanged = false
  for (const described of groups) {
    const { topologyDescription } = described
    if (topologyDescription === null) continue
    if (describedTopics(topologyDescription).every(name => judge.sees(topicRights.describe, name))) continue
    described.topologyDescription = null
    described.topologyDescriptionStatus = notStored
    isChanged = true
  }
  return isChanged
}

function describedTopics({ subtopologies, globalStores }: StreamsGroupDescribeResponseTopologyDescription): string[] {
  const nodes = [
    ...subtopologies.flatMap(subtopology => subtopology.nodes),
    ...globalStores.flatMap(({ source, processor }) => [source, processor]),
  ]
  return nodes.flatMap(({ sourceTopics, sinkTopic }) =>
    sinkTopic === null ? sourceTopics : [...sourceTopics, sinkTopic],
  )
}
