/**
 * Error codes and base classes, one class per reaction of whoever owns the connection or the process.
 * Refusals (a policy said no) are values, not errors; see pipeline/.
 */

export interface VkitmErrorOptions {
  readonly cause?: unknown
  /** Flat evidence for the log line. Never secrets, payloads or keys. */
  readonly details?: Readonly<Record<string, unknown>>
}

export class VkitmError extends Error {
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: string, message: string, options: VkitmErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.details = options.details ?? {}
  }
}

/** Bytes that are not what the protocol allows: the connection they came from is closed. */
export class WireError extends VkitmError {
  constructor(message: string, options: VkitmErrorOptions = {}) {
    super('VKITM_WIRE', message, options)
  }
}

/** A message cannot be expressed in the version it is written for: a mistake of whoever built it. */
export class UnsupportedVersionError extends VkitmError {
  constructor(message: string, options: VkitmErrorOptions = {}) {
    super('VKITM_UNSUPPORTED_VERSION', message, options)
  }
}

export interface UpstreamErrorOptions extends VkitmErrorOptions {
  /** True where another address, or the same one later, may succeed. */
  readonly retriable: boolean
}

/** A broker could not be reached, trusted or understood: the upstream connection is closed. */
export class UpstreamError extends VkitmError {
  readonly retriable: boolean

  constructor(code: string, message: string, options: UpstreamErrorOptions) {
    super(code, message, options)
    this.retriable = options.retriable
  }
}

/** Certificates or keys that cannot be used. The message says which file and what to do. */
export class TlsError extends VkitmError {
  constructor(message: string, options: VkitmErrorOptions = {}) {
    super('VKITM_TLS', message, options)
  }
}

/** A SASL conversation of ours as a client failed: the credential, or the broker, is not what it should be. */
export class SaslError extends VkitmError {
  constructor(message: string, options: VkitmErrorOptions = {}) {
    super('VKITM_SASL', message, options)
  }
}

export interface Problem {
  /** Where, in the user's words: `clusters[0].listeners[0].bind`. */
  readonly path: string
  /** What is wrong and what to write instead. */
  readonly message: string
}

/** The configuration cannot be used: the process refuses to start. All problems at once. */
export class ConfigError extends VkitmError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[], options: VkitmErrorOptions = {}) {
    super('VKITM_CONFIG', problems.map(problem => `${problem.path}: ${problem.message}`).join('\n'), options)
    this.problems = problems
  }
}

/** A model or rules that cannot be used: nothing starts with them, and what is in force stays. All problems at once. */
export class PolicyError extends VkitmError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[], options: VkitmErrorOptions = {}) {
    super('VKITM_POLICY', problems.map(problem => `${problem.path}: ${problem.message}`).join('\n'), options)
    this.problems = problems
  }
}

/** A command was called with what it does not understand: it does nothing and exits with 2. */
export class UsageError extends VkitmError {
  constructor(message: string, options: VkitmErrorOptions = {}) {
    super('VKITM_USAGE', message, options)
  }
}
