import { ConfigError, type Problem, VkitmError } from '../errors.ts'

/** What a reload exchanges one by one: what fails stays as it is in force, and keeps nothing else from coming into force. */
export class Parts {
  readonly #what: string
  readonly #problems: Problem[] = []
  readonly #others: unknown[] = []
  #haveChanged = false

  constructor(what: string) {
    this.#what = what
  }

  get haveChanged(): boolean {
    return this.#haveChanged
  }

  /** What `read` gives, or what is in force where it fails. */
  async next<T>(read: () => T | Promise<T>, inForce: T): Promise<T> {
    try {
      const next = await read()
      this.#haveChanged ||= next !== inForce
      return next
    } catch (error) {
      if (error instanceof VkitmError) this.#problems.push(...problemsIn(error, this.#what))
      else this.#others.push(error)
      return inForce
    }
  }

  /** What nobody has foreseen comes first. */
  throwProblems(): void {
    if (this.#others.length > 0) throw this.#others[0]
    if (this.#problems.length > 0) throw new ConfigError(this.#problems)
  }
}

/** Runs every proof and throws one ConfigError with the problems of all that failed. */
export function prove(what: string, proofs: readonly (() => void)[]): void {
  const problems: Problem[] = []
  for (const proof of proofs) {
    try {
      proof()
    } catch (error) {
      problems.push(...problemsIn(error, what))
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
}

function problemsIn(error: unknown, what: string): readonly Problem[] {
  if (!(error instanceof VkitmError)) throw error
  return error instanceof ConfigError ? error.problems : [{ path: what, message: error.message }]
}
