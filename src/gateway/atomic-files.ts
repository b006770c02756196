/**
 * Files that appear whole or not at all, whoever reads them at that moment, and that never replace one by accident; and
 * changes of them, one at a time.
 */
import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises'
import { VkitmError } from '../errors.ts'

/** For what nobody else may read. */
export const PRIVATE = 0o600
export const PUBLIC = 0o644

export interface WriteOptions {
  readonly mode: number
  /** Without it a file that is there is an error. */
  readonly replace?: boolean
}

export async function writeAtomic(path: string, content: string | Buffer, options: WriteOptions): Promise<void> {
  const { mode, replace = false } = options
  const beside = `${path}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const file = await open(beside, 'wx', mode)
    await written(file, content)
    if (replace) await rename(beside, path)
    else await link(beside, path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    throw new VkitmError('VKITM_FILE_EXISTS', `${path} is there already: choose another name, or move it away`, {
      cause,
    })
  } finally {
    await rm(beside, { force: true })
  }
}

/** A change takes a moment: a lock this old is of somebody who was killed. */
const lockLastsMs = 60_000

/** Two at a time would forget what the other one changed. `code`: of the error where somebody else is at work. */
export async function alone<T>(path: string, code: string, work: () => Promise<T>): Promise<T> {
  if (!(await lock(path)) && !((await isLeftBehind(path)) && (await lock(path))))
    throw new VkitmError(code, `${path} is there: another command is at work; try again in a minute`)
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function lock(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', PRIVATE)).close()
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause
  }
}

async function isLeftBehind(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return true
  if (Date.now() - found.mtimeMs < lockLastsMs) return false
  await rm(path, { force: true })
  return true
}

async function written(file: FileHandle, content: string | Buffer): Promise<void> {
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}
