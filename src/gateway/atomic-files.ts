/** Files that appear whole or not at all, whoever reads them at that moment, and that never replace one by accident. */
import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises'
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

async function written(file: FileHandle, content: string | Buffer): Promise<void> {
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}
