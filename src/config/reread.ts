/** Reads the files of a part of the configuration once more: what it names is fixed, what they hold is not. */
import { ConfigError, type Problem } from '../errors.ts'
import { readWithAccess } from './bounded-read.ts'
import type { FileContent } from './config.ts'
import { unreadable } from './file-reads.ts'

/** Paths of all files in `part`, each once. */
export function pathsIn(part: unknown): string[] {
  if (isFile(part)) return [part.path]
  return [...new Set(Array.isArray(part) || isPlain(part) ? Object.values(part).flatMap(pathsIn) : [])]
}

/** The same with fresh contents. Rejects with a ConfigError that names every file that cannot be read. */
export async function reread<T>(part: T, name: string): Promise<T>
/** Of these keys alone. */
export async function reread<T extends object, Key extends keyof T>(
  part: T,
  name: string,
  keys: readonly Key[],
): Promise<Pick<T, Key>>
export async function reread<T extends object>(whole: T, name: string, keys?: readonly (keyof T)[]): Promise<unknown> {
  const part = keys === undefined ? whole : Object.fromEntries(keys.map(key => [key, whole[key]]))
  const problems: Problem[] = []
  const fresh = await copy(part, async file => {
    try {
      return { ...file, ...(await readWithAccess(file.path)) }
    } catch (error) {
      problems.push({ path: name, message: unreadable(file.path, error, process.cwd()) })
      return file
    }
  })
  if (problems.length > 0) throw new ConfigError(problems)
  return fresh
}

async function copy(part: unknown, replace: (file: FileContent) => Promise<FileContent>): Promise<unknown> {
  if (isFile(part)) return replace(part)
  if (Array.isArray(part)) return Promise.all(part.map(item => copy(item, replace)))
  if (!isPlain(part)) return part
  const entries = Object.entries(part).map(async ([key, value]) => [key, await copy(value, replace)] as const)
  return Object.fromEntries(await Promise.all(entries))
}

const isFile = (value: unknown): value is FileContent =>
  isPlain(value) && typeof value.path === 'string' && Buffer.isBuffer(value.content)

/** Secrets and buffers are values, not structures. */
const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
