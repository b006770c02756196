import { ConfigError, type Problem, VkitmError } from '../errors.ts'

/** Runs every proof and throws one ConfigError with the problems of all that failed. */
export function prove(what: string, proofs: readonly (() => void)[]): void {
  const problems: Problem[] = []
  for (const proof of proofs) {
    try {
      proof()
    } catch (error) {
      if (!(error instanceof VkitmError)) throw error
      problems.push(...(error instanceof ConfigError ? error.problems : [{ path: what, message: error.message }]))
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
}
