/**
 * A client is never a replica (CVE-2018-1288). Whoever fetches as one is answered as Kafka answers a client without
 * ClusterAction, whatever the policy says, and what is forwarded always says "consumer".
 */
import { type ApiHandler, changed, type HandlerOf, respond, type Stage, unchanged } from '../pipeline/stage.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { type FetchRequest, fetchRequestDefaults } from '../protocol/generated/fetch-request.ts'
import {
  type FetchResponse,
  fetchResponseDefaults,
  fetchResponsePartitionDataDefaults,
} from '../protocol/generated/fetch-response.ts'
import { Span } from '../wire/span.ts'

const consumerId = -1

const onFetch: HandlerOf<typeof ApiKey.Fetch> = {
  request(body) {
    if (body.replicaId >= 0 || body.replicaState.replicaId >= 0) return respond(denyFollower(body))
    const { replicaId, replicaEpoch } = body.replicaState
    if (body.replicaId === consumerId && replicaId === consumerId && replicaEpoch === -1n) return unchanged
    body.replicaId = consumerId
    body.replicaState = fetchRequestDefaults().replicaState
    return changed
  },
}

/** ListOffsets and OffsetForLeaderEpoch ask nothing more of a replica than of a consumer that may describe. */
const onReplicaId: ApiHandler<{ replicaId: number }> = {
  request(body) {
    if (body.replicaId === consumerId) return unchanged
    body.replicaId = consumerId
    return changed
  },
}

function denyFollower({ topics }: FetchRequest): FetchResponse {
  return {
    ...fetchResponseDefaults(),
    responses: topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ partition }) => ({
        ...fetchResponsePartitionDataDefaults(),
        partitionIndex: partition,
        errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
        highWatermark: -1n,
        records: Span.empty,
      })),
    })),
  }
}

export function createReplicaGuard(): Stage {
  const handlers = new Map<number, ApiHandler>([
    [ApiKey.Fetch, onFetch as ApiHandler],
    [ApiKey.ListOffsets, onReplicaId as ApiHandler],
    [ApiKey.OffsetForLeaderEpoch, onReplicaId as ApiHandler],
  ])
  const carriesReplicaId = (apiKey: number, apiVersion: number): boolean =>
    apiKey !== ApiKey.OffsetForLeaderEpoch || apiVersion >= 3
  return {
    name: 'replica-id',
    handler: (apiKey, apiVersion) => (carriesReplicaId(apiKey, apiVersion) ? handlers.get(apiKey) : undefined),
  }
}
