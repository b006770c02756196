import type { ServedApis } from '../pipeline/served-apis.ts'
import { changed, type HandlerOf, respond, unchanged } from '../pipeline/stage.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { ApiVersionsRequest } from '../protocol/generated/api-versions-request.ts'
import { type ApiVersion, apiVersionsResponseDefaults } from '../protocol/generated/api-versions-response.ts'
import type { RewriteFacts } from './facts.ts'

export function rewriteApiVersions({ served, clusterId }: RewriteFacts): HandlerOf<typeof ApiKey.ApiVersions> {
  return {
    /**
     * KIP-1242: from version 5 on a client may say which cluster and broker it means. The gateway knows which broker
     * this port stands for and answers a mistake itself; a broker asked behind the bootstrap port would find every
     * client mistaken.
     */
    request(body, { client }) {
      // One without the other is invalid, and the broker says so.
      if (body.clusterId === null || body.nodeId === -1) return unchanged
      if (isMistaken(body, clusterId(), client.nodeId)) {
        return respond({ ...apiVersionsResponseDefaults(), errorCode: ErrorCode.REBOOTSTRAP_REQUIRED })
      }
      body.clusterId = null
      body.nodeId = -1
      return changed
    },

    response(body) {
      body.apiKeys = advertised(served, body.apiKeys)
      return changed
    },
  }
}

/** What brokers offer, as far as it is served here. */
export function advertised(served: ServedApis, offered: readonly ApiVersion[]): ApiVersion[] {
  return offered.flatMap(api => intersect(served, api) ?? [])
}

function intersect(served: ServedApis, { apiKey, minVersion, maxVersion }: ApiVersion): ApiVersion | undefined {
  const ours = served.versionsOf(apiKey)
  if (ours === undefined) return undefined
  // KAFKA-18659: librdkafka takes a Produce minimum above 0 for a broker without compression; brokers say 0 and mean 3.
  const min = apiKey === ApiKey.Produce ? minVersion : Math.max(minVersion, ours.min)
  const max = Math.min(maxVersion, ours.max)
  return min > max ? undefined : { apiKey, minVersion: min, maxVersion: max }
}

function isMistaken(asked: ApiVersionsRequest, clusterId: string | null, nodeId: number | undefined): boolean {
  if (clusterId !== null && asked.clusterId !== clusterId) return true
  return nodeId !== undefined && asked.nodeId !== nodeId
}
