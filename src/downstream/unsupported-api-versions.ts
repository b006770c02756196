import { type Client, Exchange } from '../pipeline/exchange.ts'
import type { ServedApis } from '../pipeline/served-apis.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { describeApi } from '../protocol/api-table.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { type ApiVersionsResponse, apiVersionsResponseDefaults } from '../protocol/generated/api-versions-response.ts'
import type { RequestHeader } from '../protocol/request-header.ts'

/**
 * KIP-511: an ApiVersions of a version we do not know is answered in version 0, with the range of ApiVersions alone:
 * the client has not negotiated yet and tries again with what it is told.
 */
export function unsupportedApiVersions(client: Client, header: RequestHeader, served: ServedApis): Exchange {
  const exchange = new Exchange(client, describeApi(ApiKey.ApiVersions)!, { ...header, apiVersion: 0 }, undefined)
  exchange.response = unsupportedVersion(served)
  return exchange
}

export function unsupportedVersion(served: ServedApis): ApiVersionsResponse {
  const { min, max } = served.versionsOf(ApiKey.ApiVersions)!
  return {
    ...apiVersionsResponseDefaults(),
    errorCode: ErrorCode.UNSUPPORTED_VERSION,
    apiKeys: [{ apiKey: ApiKey.ApiVersions, minVersion: min, maxVersion: max }],
  }
}
