/**
 * PushTelemetry: needs no right. What clients push is never unpacked here, and no longer than Kafka's own default allows
 * (`telemetry.max.bytes`). (ClientMetricsManager.validatePushRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type PushTelemetryResponse,
  pushTelemetryResponseDefaults,
} from '../protocol/generated/push-telemetry-response.ts'
import { answer, type EnforcementOf, whole } from './enforcement.ts'

export const telemetryBytesMax = 1024 * 1024

export function enforcePushTelemetry(): EnforcementOf<typeof ApiKey.PushTelemetry> {
  return {
    request({ metrics }) {
      if (metrics.length <= telemetryBytesMax) return whole
      return answer<PushTelemetryResponse>({
        ...pushTelemetryResponseDefaults(),
        errorCode: ErrorCode.TELEMETRY_TOO_LARGE,
      })
    },
  }
}
