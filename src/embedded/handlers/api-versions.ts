/**
 * ApiVersions 0–5. A version we do not know is answered in version 0 by the node itself, before anything is decoded.
 * Leaves out: features; a cluster without any behaves as clients expect of an old one.
 */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { apiVersionsResponseDefaults } from '../../protocol/generated/api-versions-response.ts'
import { type Call, handler } from '../handler.ts'

export const apiVersions = handler(ApiKey.ApiVersions, [0, 5], call => {
  const errorCode = call.refusal ?? (isMisrouted(call) ? ErrorCode.REBOOTSTRAP_REQUIRED : ErrorCode.NONE)
  if (errorCode !== ErrorCode.NONE) return { ...apiVersionsResponseDefaults(), errorCode }
  const apiKeys = Array.from(call.cluster.served, ([apiKey, [minVersion, maxVersion]]) => {
    // KAFKA-18659: librdkafka looks for Produce 0, which nobody answers any more.
    return { apiKey, minVersion: apiKey === ApiKey.Produce ? 0 : minVersion, maxVersion }
  })
  return { ...apiVersionsResponseDefaults(), apiKeys }
})

/** KIP-1242: a client says whom it believes to have reached. */
function isMisrouted({ body, cluster, nodeId }: Call<typeof ApiKey.ApiVersions>): boolean {
  return body.clusterId !== null && (body.clusterId !== cluster.settings.clusterId || body.nodeId !== nodeId)
}
