/**
 * Files that appear whole or not at all, whoever reads them at that moment, and that never replace one by accident; and
 * changes of them, one at a time.
 */
import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, readFile, rename, rm, stat } from 'node:fs/promises'
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
  const token = randomBytes(8).toString('hex')
  if (!(await lock(path, token)) && !((await isLeftBehind(path)) && (await lock(path, token))))
    throw new VkitmError(code, `${path} is there: another command is at work; try again in a minute`)
  try {
    return await work()
  } finally {
    // It may have been taken for left behind.
    if ((await readFile(path, 'utf8').catch(() => '')) === token) await rm(path, { force: true })
  }
}

async function lock(path: string, token: string): Promise<boolean> {
  try {
    await written(await open(path, 'wx', PRIVATE), token)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause
  }
}

async function isLeftBehind(path: string): Promise<boolean> {
  if (await isYoung(path)) return false
  // Of several who think so one moves it; who moved a younger one, which came in between, puts it back.
  const aside = `${path}.${randomBytes(4).toString('hex')}`
  try {
    await rename(path, aside)
  } catch {
    return false
  }
  const isMistaken = await isYoung(aside)
  if (isMistaken) await link(aside, path).catch(() => undefined)
  await rm(aside, { force: true })
  return !isMistaken
}

const isYoung = (path: string): Promise<boolean> =>
  stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs < lockLastsMs,
    () => false,
  )

async function written(file: FileHandle, content: string | Buffer): Promise<void> {
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}
