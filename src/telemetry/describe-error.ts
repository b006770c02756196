import { VkitmError } from '../errors.ts'

const CAUSES_MAX = 5

/** What a log line says about an error: our own by code and evidence, a stranger with its stack. */
export interface ErrorDescription {
  readonly code?: string
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly stack?: string
  readonly cause?: ErrorDescription
}

export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { message: String(error) }
  const { code } = error as { code?: unknown }
  const expected = error instanceof VkitmError || typeof code === 'string'
  return {
    ...(typeof code === 'string' ? { code } : {}),
    message: error.message,
    ...(error instanceof VkitmError && Object.keys(error.details).length > 0 ? { details: error.details } : {}),
    ...(expected || error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined || depth >= CAUSES_MAX ? {} : { cause: describeError(error.cause, depth + 1) }),
  }
}
