import { VkitmError } from '../errors.ts'
import { withoutSecrets } from './without-secrets.ts'

const CAUSES_MAX = 5

/** What a log line says about an error: our own by code and evidence, a mistake of ours with its stack. */
export interface ErrorDescription {
  readonly code?: string
  readonly message: string
  readonly details?: unknown
  readonly stack?: string
  readonly cause?: ErrorDescription
}

export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { message: String(error) }
  const { code } = error as { code?: unknown }
  const details = error instanceof VkitmError ? error.details : {}
  return {
    ...(typeof code === 'string' ? { code } : {}),
    message: error.message,
    ...(Object.keys(details).length === 0 ? {} : { details: withoutSecrets(details) }),
    ...(isMistake(error) ? { stack: error.stack ?? '' } : {}),
    ...(error.cause === undefined || depth >= CAUSES_MAX ? {} : { cause: describeError(error.cause, depth + 1) }),
  }
}

/** Systems and peers fail with a code; what comes without one, or as a TypeError of Node's own, is a bug. */
function isMistake(error: Error): boolean {
  if (error instanceof VkitmError) return false
  return error instanceof TypeError || error instanceof RangeError || !('code' in error)
}
