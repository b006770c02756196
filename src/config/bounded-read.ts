/** Files of the operator, read whole but never without a bound: a file may be a gigabyte, a pipe or a device. */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

export const FILE_BYTES_MAX = 16 * 1024 * 1024

export class FileTooLargeError extends Error {
  readonly code = 'EFBIG'
}

/** Who may read a file, as the system says. */
export interface FileAccess {
  readonly mode: number
  readonly uid: number
}

export interface ReadFile {
  readonly content: Buffer
  readonly access: FileAccess
}

/** The content of a regular file; rejects with a Node-like `code` otherwise: ENOENT, EACCES, EISDIR, EFBIG, ENOTSUP. */
export async function readBounded(path: string, bytesMax?: number): Promise<Buffer> {
  return (await readWithAccess(path, bytesMax)).content
}

/** Both of one opened file: a name may stand for another file a moment later. */
export async function readWithAccess(path: string, bytesMax: number = FILE_BYTES_MAX): Promise<ReadFile> {
  // A pipe without a writer would hold up an ordinary open for ever, and with it a thread of Node's pool.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = await file.stat()
    if (stat.isDirectory()) throw withCode('EISDIR', `${path}: it is a directory`)
    if (!stat.isFile()) throw withCode('ENOTSUP', `${path}: it is no regular file`)
    if (stat.size > bytesMax) throw new FileTooLargeError(`${path}: larger than ${bytesMax} bytes`)
    const content = await readAtMost(file, bytesMax, path, stat.size)
    return { content, access: { mode: stat.mode, uid: stat.uid } }
  } finally {
    await file.close()
  }
}

/** What grows while it is read stays bounded, too; files of `/proc` say 0 and have content all the same. */
async function readAtMost(file: FileHandle, bytesMax: number, path: string, expected: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let total = 0
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.min(Math.max(expected - total + 1, 4_096), bytesMax - total + 1))
    const { bytesRead } = await file.read(chunk, 0, chunk.length, null)
    if (bytesRead === 0) return Buffer.concat(chunks, total)
    total += bytesRead
    if (total > bytesMax) throw new FileTooLargeError(`${path}: larger than ${bytesMax} bytes`)
    chunks.push(chunk.subarray(0, bytesRead))
  }
}

const withCode = (code: string, message: string): Error => Object.assign(new Error(message), { code })
