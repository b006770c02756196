/** A JSON file that holds something for each principal. */
import { ConfigError, type Problem } from '../errors.ts'
import { isObject } from './users.ts'

export interface ByPrincipalOptions<T> {
  readonly path: string
  /** What to write where the file is no such object. */
  readonly example: string
  /** What an entry says, or a sentence without its subject: what is wrong with it. */
  readonly read: (entry: unknown) => T | string
}

/** Throws a ConfigError with every problem; none of them shows a value. */
export function parseByPrincipal<T extends object>(
  text: string,
  { path, example, read }: ByPrincipalOptions<T>,
): ReadonlyMap<string, T> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // JSON.parse quotes what it read, and such files hold passwords.
  }
  if (!isObject(value)) throw new ConfigError([{ path, message: `is no JSON object: write ${example}` }])
  const problems: Problem[] = []
  const byPrincipal = new Map<string, T>()
  for (const [principal, entry] of Object.entries(value)) {
    const said = /^User:./.test(principal) ? read(entry) : 'is no principal: write User: and the name'
    if (typeof said === 'string') problems.push({ path: `${path}: ${JSON.stringify(principal)}`, message: said })
    else byPrincipal.set(principal, said)
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return byPrincipal
}
